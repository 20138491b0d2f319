//! The main job in one process: upload, replicate, download, delete.

#![allow(clippy::expect_used, reason = "a test may fail")]

use bytes::Bytes;
use simulation::audit::Audit;
use simulation::person::Person;
use simulation::world::{World, run};
use std::time::Duration;
use tokio::time::sleep;

async fn main_job(world: &World) -> Vec<String> {
    let live = async {
        sleep(Duration::from_secs(5)).await;
        let ada = Person::sign_up(world, "ada").await.expect("an account");
        let small = Bytes::from_static(b"hello");
        let large = Bytes::from(vec![7; 9 * 1024 * 1024]);
        let file = ada
            .store("small.txt", None, &small, true, "fail")
            .await
            .expect("stored");
        assert_eq!(ada.fetch(&file).await, Some(small.clone()));
        let other = ada
            .store("large.bin", None, &large, false, "fail")
            .await
            .expect("stored");
        assert_eq!(ada.fetch(&other).await, Some(large.clone()));
        let bob = Person::sign_up(world, "bob").await.expect("an account");
        let proven = bob
            .store("mine.bin", None, &large, true, "fail")
            .await
            .expect("proven");
        assert_eq!(bob.fetch(&proven).await, Some(large));
        let gone = ada.remove(&file).await;
        assert_eq!(gone.status, 204, "{gone:?}");
        sleep(Duration::from_mins(90)).await;
    };
    world.while_functions_work(live).await;
    assert_eq!(Audit::of(world).check(), [""; 0]);
    world.cloud.calls().iter().map(ToString::to_string).collect()
}

#[test]
fn everything_works_and_the_same_seed_gives_the_same_trace() {
    let trace = run(1, main_job);
    let again = run(1, main_job);
    for (one, other) in trace.iter().zip(&again) {
        assert_eq!(one, other);
    }
    assert_eq!(trace.len(), again.len());
    assert_ne!(trace, run(2, main_job), "another seed is another world");
}
