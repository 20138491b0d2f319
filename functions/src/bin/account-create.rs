//! `POST /v1/accounts`: registers a user.

fn main() -> functions::Exit {
    functions::account::create::FUNCTION.main()
}
