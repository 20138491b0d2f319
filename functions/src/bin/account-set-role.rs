//! Invoked by administrators: makes an account an operator, or not. There is no HTTP way to it: who may invoke it is for IAM to
//! say.

fn main() -> functions::Exit {
    functions::account::set_role::FUNCTION.main()
}
