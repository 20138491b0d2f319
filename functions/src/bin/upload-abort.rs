//! `DELETE /v1/uploads/{id}`: gives an upload up and its reservation back.

fn main() -> functions::Exit {
    functions::upload::abort::main()
}
