//! Invoked by administrators: makes, lists and revokes invitations, and codes that set a password. There is no HTTP way to it:
//! who may invoke it is for IAM to say.

fn main() -> functions::Exit {
    functions::account::invite::FUNCTION.main()
}
