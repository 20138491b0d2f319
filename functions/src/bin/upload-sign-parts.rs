//! `POST /v1/uploads/{id}/parts`: presigned requests that put parts.

fn main() -> functions::Exit {
    functions::upload::sign_parts::FUNCTION.main()
}
