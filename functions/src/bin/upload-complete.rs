//! `POST /v1/uploads/{id}/complete`: turns the parts into a file.

fn main() -> functions::Exit {
    functions::upload::complete::FUNCTION.main()
}
