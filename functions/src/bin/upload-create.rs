//! `POST /v1/uploads`: begins an upload, or completes it at once when the account has the bytes.

fn main() -> functions::Exit {
    functions::upload::create::FUNCTION.main()
}
