//! The small worlds, each explored to the end.

use crate::checking::check;
use crate::model::Model;
use crate::process::Process;
use crate::properties::{has_file, has_upload};
use crate::world::{Multipart, Replica, World};
use crate::worlds::{
    beginning, content_comes_again, copying, creating, giving_up, name_taken, proof, reconciling, replacing,
    sent_again, several_finalize, two_uploads, unknown_multiparts,
};
use domain::upload::State;

fn is_late(world: &World) -> bool {
    world
        .processes
        .iter()
        .flatten()
        .any(|process| matches!(process, Process::Late(_)))
}

fn reclaiming(world: &World) -> bool {
    world.blobs.iter().flatten().any(|blob| blob.reclaiming)
}

#[test]
fn one_upload_from_its_beginning() {
    let model = beginning()
        .reaches("a file", has_file)
        .reaches("an aborted upload", |world| has_upload(world, State::Aborted))
        .reaches("an expired upload", |world| has_upload(world, State::Expired));
    check(&model, 40_000);
}

#[test]
fn several_finalize_one_upload() {
    let model = several_finalize()
        .reaches("a file of the first bytes", |world| {
            world.nodes[0].is_some_and(|node| node.content == 0)
        })
        .reaches("a file of the other bytes", |world| {
            world.nodes[0].is_some_and(|node| node.content == 1)
        })
        .reaches("a late complete", is_late)
        .reaches("a late complete of an aborted upload", |world| {
            is_late(world) && has_upload(world, State::Aborted)
        });
    check(&model, 400_000);
}

#[test]
fn two_uploads_of_one_content() {
    let model = two_uploads()
        .reaches("two files of one blob", |world| {
            world.blobs.iter().flatten().any(|blob| blob.references == 2)
        })
        .reaches("a blob that goes", reclaiming);
    check(&model, 300_000);
}

#[test]
fn a_content_comes_again_while_its_blob_goes() {
    let model = content_comes_again()
        .reaches("a blob that goes, and a file", |world| {
            reclaiming(world) && has_file(world)
        })
        .reaches("a revived blob", |world| {
            world.blobs[2].is_some_and(|blob| blob.references == 1)
                && world.nodes[0].is_some_and(|n| n.account == 1)
        });
    check(&model, 450_000);
}

#[test]
fn a_proof_while_the_blob_goes() {
    let model = proof()
        .reaches("a file by proof", |world| {
            world.nodes.iter().flatten().any(|node| node.account == 1)
        })
        .reaches("a challenge of a blob that goes", |world| {
            has_upload(world, State::ProofRequired) && reclaiming(world)
        })
        .reaches("an ordinary upload", |world| has_upload(world, State::Open));
    check(&model, 150_000);
}

#[test]
fn giving_up_while_parts_are_sent() {
    let model = giving_up().reaches("an aborted upload with parts", |world| {
        has_upload(world, State::Aborted) && matches!(world.multiparts[0][0], Multipart::Live(Some(_)))
    });
    check(&model, 150_000);
}

#[test]
fn files_replace_each_other() {
    let model = replacing().reaches("a replaced file", |world| {
        world.nodes[0].is_some_and(|node| node.content == 1)
    });
    check(&model, 350_000);
}

#[test]
fn a_name_is_taken_and_then_it_is_not() {
    let model = name_taken().reaches("an open upload with an object", |world| {
        has_upload(world, State::Open) && world.objects[0].is_some()
    });
    let model = model.reaches("an aborted upload with an object", |world| {
        has_upload(world, State::Aborted) && world.objects[0].is_some()
    });
    check(&model, 200_000);
}

#[test]
fn a_copy_while_the_blob_goes() {
    let model = copying()
        .reaches("a replica", |world| world.replicas[0] == Some(Replica::Available))
        .reaches("a copy of a blob that goes", |world| {
            world.copies[0].is_some() && reclaiming(world)
        });
    check(&model, 50_000);
}

#[test]
fn multipart_uploads_that_nobody_knows() {
    let model = unknown_multiparts().reaches("two multipart uploads", |world| {
        world.multiparts[0]
            .iter()
            .filter(|multipart| matches!(multipart, Multipart::Live(_)))
            .count()
            == 2
    });
    check(&model, 350_000);
}

#[test]
fn the_reconciler_comes_by() {
    check(&reconciling().reaches("a file", has_file), 15_000);
}

#[test]
fn parts_are_sent_again_and_again() {
    let model = sent_again().reaches("an object that the part digests do not know", |world| {
        world.objects[0].is_some_and(|content| {
            world.all_part_digests[0].is_some_and(|part_digests| part_digests != content)
        })
    });
    check(&model.reaches("a file", has_file), 150_000);
}

#[test]
fn two_sweeps_at_once() {
    let model = copying();
    let model = Model {
        sweeps: 2,
        width: 2,
        ..model
    };
    check(&model.reaches("a blob that goes", reclaiming), 10_000);
}

#[test]
fn creating_of_an_own_file_while_it_goes() {
    let model = creating().reaches("a file at once", |world| {
        world.blobs[2].is_some_and(|blob| blob.references == 2)
    });
    check(&model, 15_000);
}
