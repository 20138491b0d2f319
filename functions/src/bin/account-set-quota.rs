//! Invoked by operators: changes what an account may store. There is no HTTP way to it: who may invoke it is for IAM to say.

fn main() -> functions::Exit {
    functions::account::set_quota::FUNCTION.main()
}
