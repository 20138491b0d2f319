//! Random numbers.

use rand::distr::uniform::{SampleRange, SampleUniform};
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// Makes random numbers, fit for secrets.
#[derive(Clone)]
pub struct Rng {
    /// What they come from; none is the operating system's generator.
    seeded: Option<Arc<Mutex<StdRng>>>,
}

impl Rng {
    /// Numbers that nobody can foresee.
    #[must_use]
    pub fn system() -> Self {
        Self { seeded: None }
    }

    /// The numbers that come from a seed: always the same ones. Clones share them.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let numbers = StdRng::seed_from_u64(seed);
        Self {
            seeded: Some(Arc::new(Mutex::new(numbers))),
        }
    }

    /// Whether somebody who knows the seed can foresee the numbers, which then protect nothing.
    #[must_use]
    pub fn is_seeded(&self) -> bool {
        self.seeded.is_some()
    }

    #[expect(clippy::disallowed_methods, reason = "here is where they come from")]
    fn draw<T>(&self, draw: impl FnOnce(&mut dyn rand::Rng) -> T) -> T {
        match &self.seeded {
            None => draw(&mut rand::rng()),
            Some(numbers) => draw(&mut *numbers.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Any value.
    #[must_use]
    pub fn random<T>(&self) -> T
    where
        StandardUniform: Distribution<T>,
    {
        self.draw(|numbers| numbers.random())
    }

    /// A value of a range.
    ///
    /// # Panics
    /// When the range is empty.
    #[must_use]
    pub fn within<T: SampleUniform>(&self, range: impl SampleRange<T>) -> T {
        self.draw(|numbers| numbers.random_range(range))
    }

    /// Puts a list into any order.
    pub fn shuffle<T>(&self, list: &mut [T]) {
        self.draw(|mut numbers| list.shuffle(&mut numbers));
    }

    /// One of a list; none of an empty one.
    #[must_use]
    pub fn choose<'a, T>(&self, list: &'a [T]) -> Option<&'a T> {
        self.draw(|mut numbers| list.choose(&mut numbers))
    }

    /// A new identifier. It says nothing about when or for whom it was made.
    ///
    /// # Panics
    /// Never: a UUID is a valid identifier.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a UUID always is a valid identifier")]
    pub fn id<T: FromStr>(&self) -> T {
        self.uuid()
            .simple()
            .to_string()
            .parse()
            .ok()
            .expect("a UUID is a valid identifier")
    }

    /// A random UUID.
    #[must_use]
    pub fn uuid(&self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.random()).into_uuid()
    }
}

/// Not the numbers: they make secrets.
impl fmt::Debug for Rng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rng")
            .field("seeded", &self.seeded.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn some(rng: &Rng) -> (u64, u8, String, Vec<u8>) {
        let mut list: Vec<u8> = (0..20).collect();
        rng.shuffle(&mut list);
        (rng.random(), rng.within(0..100), rng.id(), list)
    }

    #[test]
    fn a_seed_says_all_numbers() {
        let (one, same, other) = (Rng::seeded(1), Rng::seeded(1), Rng::seeded(2));
        for _ in 0..10 {
            let drawn = some(&one);
            assert_eq!(drawn, some(&same));
            assert_ne!(drawn, some(&other));
        }
        let before = one.clone();
        assert_ne!(some(&one), some(&before), "clones share their numbers");
    }

    #[test]
    fn the_system_never_repeats_itself() {
        let ids: HashSet<String> = (0..1000).map(|_| Rng::system().id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 32));
    }
}
