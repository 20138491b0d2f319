//! What must hold.

use crate::clock::Timer;
use crate::model::{Model, due, keys, messages, ripe, sweep};
use crate::process::Process;
use crate::process::reconcile::Reconcile;
use crate::process::replicate::Replicate;
use crate::size::Id;
use crate::world::{Blob, Multipart, Node, Replica, Upload, World};
use crate::writes::Turn;
use domain::account::Quota;
use domain::placement::OnConflict;
use domain::upload::State;

/// Something that must hold in every world that can be.
pub(crate) type Invariant = (&'static str, fn(&Model, &World) -> bool);

/// All of them.
pub(crate) const INVARIANTS: [Invariant; 10] = [
    ("references are the files that refer", |_, world| {
        references_are_exact(world)
    }),
    ("the quota is exact and not exceeded", |_, world| {
        quotas_are_exact(world)
    }),
    ("every file has its bytes", |_, world| {
        files_have_their_bytes(world)
    }),
    ("every blob has its part digests", |_, world| {
        blobs_have_their_part_digests(world)
    }),
    ("the index leads to blobs that may be referenced", |_, world| {
        index_is_sound(world)
    }),
    ("an upload that ended stays ended", |_, world| !world.faults.risen),
    ("what is being finalized is not given up", |_, world| {
        !world.faults.thrown_away
    }),
    ("a lease is not taken before it runs out", |_, world| {
        !world.faults.lease_stolen
    }),
    ("every reader can parse what is stored", |_, world| {
        !world.faults.corrupt && world.blobs.iter().flatten().all(|b| !b.lost)
    }),
    ("in the end all is settled", |model, world| {
        leftovers(model, world).is_empty()
    }),
];

fn references_are_exact(world: &World) -> bool {
    let files = |blob: Id| {
        world
            .nodes
            .iter()
            .flatten()
            .filter(|node| node.blob == blob)
            .count()
    };
    keys().all(|id| {
        world
            .blob_row(id)
            .is_none_or(|row| usize::try_from(row.references) == Ok(files(id)))
    })
}

fn quotas_are_exact(world: &World) -> bool {
    let reserved = |row: &Upload| if row.state.is_final() { 0 } else { row.size };
    (0..).zip(&world.quotas).all(|(account, quota): (Id, &Quota)| {
        let files = world
            .nodes
            .iter()
            .flatten()
            .filter(|node| node.account == account)
            .map(|node| node.size);
        let uploads = world
            .uploads
            .iter()
            .flatten()
            .filter(|row| row.account == account)
            .map(reserved);
        quota.used() == files.sum::<u64>() + uploads.sum::<u64>() && quota.free >= 0
    })
}

fn files_have_their_bytes(world: &World) -> bool {
    let has = |node: &Node| {
        let object = world.objects[usize::from(node.blob)];
        let blob = world.blob_row(node.blob);
        object == Some(node.content) && blob.is_some_and(|row| !row.reclaiming && row.content == node.content)
    };
    world.nodes.iter().flatten().all(has)
}

fn blobs_have_their_part_digests(world: &World) -> bool {
    let has = |(row, part_digests): (&Option<Blob>, &Option<Id>)| {
        row.is_none_or(|row| row.reclaiming || *part_digests == Some(row.content))
    };
    world.blobs.iter().zip(&world.all_part_digests).all(has)
}

fn index_is_sound(world: &World) -> bool {
    let sound = |(content, blob): (Id, &Option<Id>)| {
        let row = blob.and_then(|blob| world.blob_row(blob));
        blob.is_none() || row.is_some_and(|row| row.content == content && row.life().may_be_referenced())
    };
    (0..).zip(&world.contents).all(sound)
}

/// What is wrong in the end: the clients have gone, no process crashes any more, time passes, and the sweep
/// runs, and after it the reconciler. Checked in worlds without running processes, which every other one
/// becomes.
pub(crate) fn leftovers(model: &Model, world: &World) -> Vec<String> {
    if world.processes.iter().any(Option::is_some) {
        return Vec::new();
    }
    let mut world = *world;
    let promised: Vec<Id> = keys().filter(|key| becomes_a_file(&world, *key)).collect();
    if !swept(model, &mut world) {
        return vec!["the sweep finds no end".to_owned()];
    }
    let mut left = not_settled(&world);
    let complete = |key: Id| world.uploads[usize::from(key)].is_some_and(|row| row.state == State::Complete);
    for key in promised.into_iter().filter(|key| !complete(*key)) {
        left.push(format!("upload {key} was being finalized, and is not complete"));
    }
    // What was not recorded is the reconciler's.
    for key in keys() {
        for process in Reconcile::all(&world, key) {
            finish(model, &mut world, Some(Process::Reconcile(process)));
        }
    }
    if !swept(model, &mut world) {
        left.push("the sweep finds no end after the reconciler".to_owned());
    }
    left.extend(not_settled(&world));
    left.extend(unowned(&world));
    left
}

/// A process was finalizing an upload whose bytes are all there, and nothing prevents the file.
fn becomes_a_file(world: &World, key: Id) -> bool {
    let index = usize::from(key);
    let Some(row) = world.uploads[index].filter(|row| row.state == State::Finalizing) else {
        return false;
    };
    let part = row.multipart.map(|id| world.multiparts[index][usize::from(id)]);
    let (content, part_digests) = (world.objects[index], world.all_part_digests[index]);
    let bytes = match part {
        Some(Multipart::Live(part)) => part,
        // An object that does not match the part digests belongs to nothing.
        _ => content.filter(|_| part_digests.is_none() || part_digests == content),
    };
    let announced = bytes.is_some() && (row.announced.is_none() || row.announced == bytes);
    let free = world.node_named(row.account, row.name).is_none();
    announced && (free || row.on_conflict == OnConflict::Replace)
}

/// Lets the sweep and the workers do what is due until nothing is, and nothing will be.
fn swept(model: &Model, world: &mut World) -> bool {
    const ROUNDS: usize = 100;
    for _ in 0..ROUNDS {
        let (item, blob, clock) = (due(world).next(), messages(world).next(), ripe(world).next());
        let alive = world.alive();
        if let Some(item) = item {
            let process = sweep(
                &Turn {
                    world,
                    rules: &model.rules,
                    alive,
                },
                item,
            );
            finish(model, world, process);
        } else if let Some(blob) = blob {
            world.queue[usize::from(blob)] = false;
            let process = Replicate::work(
                &Turn {
                    world,
                    rules: &model.rules,
                    alive,
                },
                blob,
            );
            finish(model, world, process.map(Process::Replicate));
        } else if let Some(clock) = clock {
            if let Some((_, timer)) = world.timers().find(|(other, _)| *other == clock) {
                *timer = Timer::Over;
            }
        } else {
            return true;
        }
    }
    false
}

/// Runs a process to its end, undisturbed.
fn finish(model: &Model, world: &mut World, mut process: Option<Process>) {
    while let Some(current) = process {
        world.processes[0] = Some(current);
        let alive = world.alive();
        process = current.step(&mut Turn {
            world,
            rules: &model.rules,
            alive,
        });
    }
    world.end(0);
}

fn not_settled(world: &World) -> Vec<String> {
    let mut left = Vec::new();
    for key in keys() {
        let index = usize::from(key);
        let state = world.uploads[index].map(|row| row.state);
        if state.is_some_and(|state| !state.is_final()) {
            left.push(format!("upload {key} does not end"));
        }
        if matches!(state, Some(State::Aborted | State::Expired)) && has_multipart(world, key) {
            left.push(format!("upload {key} was given up, but its parts were not"));
        }
        if let Some(row) = world.blob_row(key) {
            if row.references == 0 {
                left.push(format!("blob {key} stays without a file"));
            }
            let copied =
                world.copies[index] == Some(row.content) && world.replicas[index] == Some(Replica::Available);
            if world.has_target && !copied {
                left.push(format!("blob {key} is not replicated"));
            }
        } else {
            if world.objects[index].is_some() {
                left.push(format!("object {key} belongs to no blob and no upload"));
            }
            if world.copies[index].is_some() || world.replicas[index].is_some() {
                left.push(format!("there is a copy of {key}, which is no blob"));
            }
            if world.all_part_digests[index].is_some() {
                left.push(format!("there are part digests of {key}, which is no blob"));
            }
        }
    }
    left
}

fn has_multipart(world: &World, key: Id) -> bool {
    let live = |multipart: &Multipart| matches!(multipart, Multipart::Live(_));
    world.multiparts[usize::from(key)].iter().any(live)
}

/// What the sweep may leave to the reconciler.
fn unowned(world: &World) -> Vec<String> {
    let mut left = Vec::new();
    for key in keys() {
        let index = usize::from(key);
        if has_multipart(world, key) {
            left.push(format!("a multipart upload of {key} belongs to no upload"));
        }
        if world.upload_owners[index] && world.blobs[index].is_none() {
            left.push(format!("there is an upload owner of {key}, which is no blob"));
        }
    }
    left
}

/// There is a file.
pub(crate) fn has_file(world: &World) -> bool {
    world.nodes.iter().any(Option::is_some)
}

/// An upload is in this state.
pub(crate) fn has_upload(world: &World, state: State) -> bool {
    world.uploads.iter().flatten().any(|row| row.state == state)
}
