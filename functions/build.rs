//! Lists the functions: one for each program in `src/bin`.

#![allow(
    clippy::disallowed_methods,
    reason = "Cargo tells a build script in variables"
)]

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

const PROGRAMS: &str = "src/bin";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={PROGRAMS}");
    let mut names = Vec::new();
    for entry in fs::read_dir(PROGRAMS)? {
        if let Some(name) = entry?.path().file_stem() {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    let mut list = "/// Every function by its name.\npub static ALL: &[(&str, &Function)] = &[\n".to_owned();
    for name in names {
        writeln!(list, "    ({name:?}, &{}::FUNCTION),", module(&name)).map_err(io::Error::other)?;
    }
    list.push_str("];\n");
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&folder).join("all.rs"), list)
}

/// `upload::sign_parts` of `upload-sign-parts`.
fn module(name: &str) -> String {
    name.replacen('-', "::", 1).replace('-', "_")
}
