//! All functions in one program: `all-functions <name>` is the program `<name>`.
//!
//! On AWS each function is a program of its own. On a stack that runs them as processes of this machine they can be one, which
//! is linked once and not once for each function.

fn main() -> functions::Exit {
    let name = std::env::args().nth(1).unwrap_or_default();
    let found = functions::ALL.iter().find(|(function, _)| *function == name);
    let (_, function) = found.ok_or_else(|| {
        let names: Vec<&str> = functions::ALL.iter().map(|(name, _)| *name).collect();
        format!("no function is called {name:?}: say one of {}", names.join(", "))
    })?;
    function.main()
}
