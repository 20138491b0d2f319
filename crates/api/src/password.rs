//! Passwords, hashed with Argon2id: 19 MiB of memory, 2 passes, 1 lane (the OWASP Password Storage Cheat
//! Sheet's first choice, and the crate's default).

use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use domain::account::Password;
use host::Rng;
use store::StoreError;

/// A hash to verify against when there is no such account, so that the answer takes as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bG9uZ3Nob3JlLW5vYm9keQ$wZN4hzjgK0gEtb9EEXOqM5WNFaSg4NFB5TVVMIYW4Mw";

/// The hash of a password in PHC string form, with a salt of its own.
///
/// # Errors
/// `ErrorKind::Internal`, which never happens.
pub fn hash(password: &Password, rng: &Rng) -> Result<String, StoreError> {
    // The length that RFC 9106 recommends.
    let salt: [u8; 16] = rng.random();
    let hash = hasher(rng).hash_password_with_salt(password.expose(), &salt);
    Ok(hash
        .map_err(|e| StoreError::internal("hashing a password", e))?
        .to_string())
}

/// Salts that come from a seed protect nothing. They are a simulation's, where hashing would be a quarter of all work.
fn hasher(rng: &Rng) -> Argon2<'static> {
    if rng.is_seeded() {
        let cheap = Params::new(Params::MIN_M_COST, Params::MIN_T_COST, Params::MIN_P_COST, None);
        cheap.unwrap_or_default().into()
    } else {
        Argon2::default()
    }
}

/// Whether the password is the one that was hashed. Without a hash it is not, and that takes as long to say.
#[must_use]
pub fn verify(password: &Password, hash: Option<&str>) -> bool {
    let matches = Argon2::default()
        .verify_password(password.expose(), hash.unwrap_or(NOBODY))
        .is_ok();
    matches && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn only_the_password_that_was_hashed_is_right() {
        let hashed = hash(&password("correct horse"), &Rng::system()).unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify(&password("correct horse"), Some(&hashed)));
        assert!(!verify(&password("correct house"), Some(&hashed)));
        assert!(!verify(&password("correct horse"), None));
        assert_ne!(hashed, hash(&password("correct horse"), &Rng::system()).unwrap());
    }

    #[test]
    fn the_hash_for_nobody_costs_as_much_as_a_real_one() {
        // A malformed hash would be refused at once, and tell by time that there is no such account.
        let refused = Argon2::default()
            .verify_password(b"whatever", NOBODY)
            .unwrap_err();
        assert_eq!(refused.to_string(), hash_mismatch());
        let parameters = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(
            parameters(NOBODY),
            parameters(&hash(&password("correct horse"), &Rng::system()).unwrap())
        );
    }

    #[test]
    fn only_hashes_of_a_simulation_are_cheap() {
        let (password, simulated) = (password("correct horse"), Rng::seeded(1));
        let hashed = hash(&password, &simulated).unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hashed}");
        assert!(verify(&password, Some(&hashed)));
    }

    fn hash_mismatch() -> String {
        let hashed = hash(&password("correct horse"), &Rng::system()).unwrap();
        Argon2::default()
            .verify_password(b"another one", hashed.as_str())
            .unwrap_err()
            .to_string()
    }
}
