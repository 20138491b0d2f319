//! Many uploads while processes of functions and Ceph's daemons are killed (`kill -9`): after one sweep nothing is lost, no
//! orphan is left, and what accounts hold is exact.
//!
//! `LONGSHORE_KILLED_UPLOADS` sets how many. What is uploaded and what is killed follows from `LONGSHORE_KILL_SEED`; how
//! both meet does not.

mod checks;
mod clients;
mod killer;

use crate::harness::bytes::unique;
use crate::harness::person::Person;
use checks::{Owner, Stores};
use clients::{Client, Content, Known};
use fastrand::Rng;
use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt};
use killer::{kill_daemons, kill_functions};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;
use tokio::sync::watch;

/// How many uploads, unless the environment says otherwise.
const USUAL: usize = 100;
const ACCOUNTS: usize = 4;
/// How many clients each account has. Most of them wait: where a function is killed that completes an upload, its lease has to
/// end.
const CLIENTS: usize = 12;
/// Room for all.
const QUOTA: u64 = 1 << 40;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// Uploads by all clients at once. Returns what they know. Once half of them are done, `stop` is told: the last would be
/// killed again and again, and each time their lease has to end.
async fn upload_all(
    people: &[Person],
    uploads: usize,
    rng: &mut Rng,
    stop: &watch::Sender<bool>,
) -> Vec<Known> {
    let (run, pool) = (unique(), Mutex::<Vec<Content>>::default());
    let count = ACCOUNTS * CLIENTS;
    let clients = (0..count).map(|index| {
        let client = Client {
            person: &people[index % ACCOUNTS],
            name: format!("{index}"),
            rng: rng.fork(),
            run,
            pool: &pool,
            folder: tempfile::tempdir().unwrap(),
            known: Known::default(),
        };
        // The first get what does not divide evenly.
        let work = client.work(uploads / count + usize::from(index < uploads % count));
        async move { (index, work.await) }
    });
    let mut ended: Vec<(usize, Known)> = Vec::new();
    let mut clients: FuturesUnordered<_> = clients.collect();
    while let Some(client) = clients.next().await {
        ended.push(client);
        if ended.len() == count / 2 {
            stop.send(true).unwrap();
        }
    }
    ended.sort_by_key(|(index, _)| *index);
    ended.into_iter().map(|(_, known)| known).collect()
}

mod real_ceph {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_is_lost() {
        let uploads = number("LONGSHORE_KILLED_UPLOADS").map_or(USUAL, |many| many.try_into().unwrap());
        let seed = number("LONGSHORE_KILL_SEED").unwrap_or_else(unique);
        let began = Instant::now();
        let say = |what: &str| println!("{:>6.1} s  {what}", began.elapsed().as_secs_f64());
        say(&format!("{uploads} uploads, LONGSHORE_KILL_SEED={seed}"));
        let mut rng = Rng::with_seed(seed);
        let before = Stores::look().await;
        // Their tokens are good for an hour.
        let people = join_all((0..ACCOUNTS).map(|_| Person::not_signed_in())).await;
        for person in &people {
            person.set_quota(QUOTA).await;
        }
        people[0].become_operator().await;

        let (stop, over) = watch::channel(false);
        let functions = tokio::spawn(kill_functions(rng.fork(), over.clone()));
        let daemons = tokio::spawn(kill_daemons(rng.fork(), over));
        let known = upload_all(&people, uploads, &mut rng, &stop).await;
        let (functions, daemons) = (functions.await.unwrap(), daemons.await.unwrap());
        let mut counts = BTreeMap::<&str, usize>::new();
        for (what, count) in known.iter().flat_map(|known| &known.counts) {
            *counts.entry(what).or_default() += count;
        }
        say(&format!("clients: {counts:?}"));
        let killed: usize = functions.by_function.values().sum();
        say(&format!(
            "killed {killed} processes of functions, {} of them at work: {:?}",
            functions.at_work, functions.by_function
        ));
        say(&format!("killed of Ceph: {daemons:?}"));
        assert!(functions.at_work > 0 && !daemons.is_empty());

        let mut owners: Vec<Owner> = people.into_iter().map(Owner::new).collect();
        for (index, known) in known.into_iter().enumerate() {
            owners[index % ACCOUNTS].known.push(known);
        }
        checks::nobody_at_work().await;
        let waiting = checks::worked_off(&owners).await;
        let (failed, lost): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|row| row["state"] == "failed");
        say(&format!(
            "messages are worked off; replicas given up: {}, without a message: {}",
            failed.len(),
            lost.len()
        ));
        let report = checks::one_sweep(&owners, &lost).await;
        say(&format!("one sweep: {report}"));
        let files = checks::nothing_lost(&owners).await;
        say(&format!("{files} files, nothing lost, quotas exact"));
        let redriven = checks::redrive(&owners[0].person).await;
        assert!(redriven >= failed.len() as u64);
        let replicas = checks::replicated(&owners).await;
        checks::no_orphans(&owners, &before, "after one sweep").await;
        say(&format!(
            "{replicas} replicas are available, {redriven} redriven, no orphans"
        ));
        let reclaimed = checks::reclaim(&owners).await;
        checks::no_orphans(&owners, &before, "reclaimed").await;
        say(&format!("{reclaimed} blobs without files were reclaimed"));
        let downloads = checks::downloads(&owners, rng).await;
        say(&format!("{downloads} files were downloaded"));
    }
}
