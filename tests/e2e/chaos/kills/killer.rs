//! Who kills: processes of functions, best those at work, and Ceph's daemons, which are started again as a supervisor does.

use crate::harness::ceph;
use crate::harness::processes::{FunctionProcess, function_processes};
use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// How long a function's process has to be seen at work.
const LOOK: Duration = Duration::from_millis(5);
/// Milliseconds between two kills of functions.
const BETWEEN_FUNCTIONS: [u64; 2] = [100, 900];
/// Milliseconds between a start of Ceph and the next kill there, and until a killed daemon is started again.
const BETWEEN_DAEMONS: [u64; 2] = [4000, 25_000];
const DOWN: [u64; 2] = [100, 4000];
/// What is killed of Ceph, the gateway more often than what it needs.
const DAEMONS: [&str; 6] = ["gateway", "gateway", "osd", "gateway", "mon", "osd"];

/// How often each was killed.
pub(super) type Kills = BTreeMap<String, usize>;

pub(super) struct FunctionKills {
    pub(super) by_function: Kills,
    /// How many of them were at work.
    pub(super) at_work: usize,
}

fn pause(rng: &mut Rng, [least, most]: [u64; 2]) -> Duration {
    Duration::from_millis(rng.u64(least..most))
}

/// Kills until it is `over`.
pub(super) async fn kill_functions(mut rng: Rng, mut over: watch::Receiver<bool>) -> FunctionKills {
    let mut kills = FunctionKills {
        by_function: Kills::new(),
        at_work: 0,
    };
    loop {
        tokio::select! {
            () = sleep(pause(&mut rng, BETWEEN_FUNCTIONS)) => {}
            _ = over.changed() => return kills,
        }
        let all = function_processes();
        let busy = at_work(&all).await;
        let candidates: Vec<&FunctionProcess> = if busy.is_empty() {
            all.iter().collect()
        } else {
            busy.clone()
        };
        let Some(victim) = some_process(&mut rng, &candidates) else {
            continue;
        };
        if victim.kill() {
            *kills.by_function.entry(victim.function.clone()).or_default() += 1;
            kills.at_work += usize::from(!busy.is_empty());
        }
    }
}

/// A process of any function, each as likely as the others, however many processes it has.
fn some_process<'a>(rng: &mut Rng, candidates: &[&'a FunctionProcess]) -> Option<&'a FunctionProcess> {
    let functions: BTreeSet<&str> = candidates
        .iter()
        .map(|process| process.function.as_str())
        .collect();
    let function = rng.choice(functions)?;
    let of_it = candidates.iter().filter(|process| process.function == function);
    rng.choice(of_it.copied().collect::<Vec<_>>())
}

/// Those of the processes that do something just now.
pub(super) async fn at_work(all: &[FunctionProcess]) -> Vec<&FunctionProcess> {
    let before: Vec<_> = all.iter().map(FunctionProcess::worked).collect();
    sleep(LOOK).await;
    let changed = all.iter().zip(before).filter(|(process, before)| {
        let now = process.worked();
        now.is_some() && now != *before
    });
    changed.map(|(process, _)| process).collect()
}

/// Kills Ceph's daemons until it is `over`. In the end all run.
pub(super) async fn kill_daemons(mut rng: Rng, mut over: watch::Receiver<bool>) -> Kills {
    let mut kills = Kills::new();
    for daemon in DAEMONS.iter().cycle() {
        ceph::control_meanwhile(&["kill", daemon]).await;
        *kills.entry((*daemon).to_owned()).or_default() += 1;
        sleep(pause(&mut rng, DOWN)).await;
        ceph::control_meanwhile(&["start"]).await;
        tokio::select! {
            () = sleep(pause(&mut rng, BETWEEN_DAEMONS)) => {}
            _ = over.changed() => break,
        }
    }
    kills
}
