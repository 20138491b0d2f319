//! `DELETE /v1/uploads/{id}`: aborts an upload and releases its reservation.

fn main() -> functions::Exit {
    functions::upload::abort::FUNCTION.main()
}
