//! `GET /v1/openapi.json`: the OpenAPI document of the API.

fn main() -> functions::Exit {
    functions::serve::<functions::openapi::get::OpenapiGet>()
}
