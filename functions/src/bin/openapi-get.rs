//! `GET /v1/openapi.json`: the OpenAPI document of the API.

fn main() -> functions::Exit {
    functions::openapi::get::FUNCTION.main()
}
