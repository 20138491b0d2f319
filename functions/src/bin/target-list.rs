//! `GET /v1/targets`: how the targets are doing.

fn main() -> functions::Exit {
    functions::serve::<functions::target::list::TargetList>()
}
