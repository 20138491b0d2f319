//! The small worlds: what there is at first, and what clients want.

use crate::model::{Model, Request};
use crate::process::create::Wish;
use crate::size::Id;
use crate::world::{Blob, Clock, Multipart, Node, Upload, World};
use domain::placement::OnConflict;

/// An upload of this number and name.
pub(crate) fn wish(upload: Id, account: Id, announced: Option<Id>) -> Wish {
    Wish {
        upload,
        account,
        name: upload,
        on_conflict: OnConflict::Fail,
        announced,
    }
}

/// The upload is open, and nothing was sent.
pub(crate) fn open(world: World, wish: Wish) -> World {
    let mut world = world;
    world.uploads[usize::from(wish.upload)] = Some(wish.row(None));
    world.quotas[usize::from(wish.account)].free -= 1;
    world
}

/// The upload is open, and its part was sent.
pub(crate) fn sent(world: World, wish: Wish, content: Id) -> World {
    let mut world = open(world, wish);
    let index = usize::from(wish.upload);
    world.uploads[index] = Some(Upload {
        multipart: Some(0),
        ..wish.row(None)
    });
    world.multiparts[index][0] = Multipart::Live(Some(content));
    world.upload_owners[index] = true;
    world
}

/// There is a file, made by an upload that is forgotten by now.
pub(crate) fn file(world: World, wish: Wish, content: Id) -> World {
    let mut world = world;
    let (blob, index) = (wish.upload, usize::from(wish.upload));
    let free = world.nodes.iter().position(Option::is_none).unwrap_or_default();
    world.nodes[free] = Some(Node {
        account: wish.account,
        name: wish.name,
        content,
        size: 1,
        blob,
    });
    world.quotas[usize::from(wish.account)].free -= 1;
    world.multiparts[index][0] = Multipart::Completed;
    world.objects[index] = Some(content);
    world.all_part_digests[index] = Some(content);
    world.upload_owners[index] = true;
    world.contents[usize::from(content)] = Some(blob);
    world.blobs[index] = Some(Blob::new(content));
    world
}

/// One upload from its beginning to its end, however it ends.
pub(crate) fn beginning() -> Model {
    let script = [
        Request::Create(wish(0, 0, None)),
        Request::Sign(0),
        Request::Put(0, 0),
        Request::Complete(0),
        Request::Abort(0),
    ];
    Model::new(World::empty(2), &script)
}

/// Several finalize one upload, while its part is sent again, with other bytes.
pub(crate) fn several_finalize() -> Model {
    let world = sent(World::empty(1), wish(0, 0, None), 0);
    let script = [
        Request::Complete(0),
        Request::Complete(0),
        Request::Put(0, 1),
        Request::Abort(0),
    ];
    Model::new(world, &script).width(3)
}

/// Several finalize one upload, while its part is sent again, with other bytes, and again, with the first ones.
pub(crate) fn sent_again() -> Model {
    let world = sent(World::empty(1), wish(0, 0, None), 0);
    let script = [
        Request::Complete(0),
        Request::Put(0, 1),
        Request::Put(0, 0),
        Request::ListParts(0),
        Request::Sign(0),
        Request::Put(0, 1),
    ];
    Model::new(world, &script)
}

/// Two accounts send the same bytes at once.
pub(crate) fn two_uploads() -> Model {
    let world = sent(World::empty(1), wish(0, 0, None), 0);
    let world = sent(world, wish(1, 1, Some(0)), 0);
    Model::new(
        world,
        &[Request::Complete(0), Request::Complete(1), Request::Delete(0)],
    )
}

/// The last file of a blob is deleted, while the same bytes are sent again.
pub(crate) fn content_comes_again() -> Model {
    let world = file(World::empty(1), wish(2, 0, None), 0);
    let world = sent(world, wish(0, 1, Some(0)), 0);
    Model::new(
        world,
        &[Request::Delete(0), Request::Complete(0), Request::Complete(0)],
    )
    .width(3)
}

/// The last file of a blob is deleted, while another account shows that it has the bytes.
pub(crate) fn proof() -> Model {
    let world = file(World::empty(1), wish(2, 0, None), 0);
    let script = [
        Request::Create(wish(0, 1, Some(0))),
        Request::Prove(0, true),
        Request::Prove(0, false),
        Request::Sign(0),
        Request::Delete(0),
    ];
    Model::new(world, &script)
}

/// An upload is given up, while it is being finalized and the client sends parts.
pub(crate) fn giving_up() -> Model {
    let script = [
        Request::Sign(0),
        Request::Put(0, 0),
        Request::Complete(0),
        Request::Abort(0),
    ];
    Model::new(open(World::empty(1), wish(0, 0, None)), &script).width(3)
}

/// Two uploads take the place of a file, which is deleted meanwhile.
pub(crate) fn replacing() -> Model {
    let replace = |upload| Wish {
        name: 0,
        on_conflict: OnConflict::Replace,
        ..wish(upload, 0, None)
    };
    let mut world = file(World::empty(3), replace(2), 0);
    // Another account has the same bytes.
    world.nodes[1] = world.nodes[0].map(|node| Node { account: 1, ..node });
    world.blobs[2] = world.blobs[2].map(|blob| Blob {
        references: 2,
        ..blob
    });
    world.quotas[1].free -= 1;
    let world = sent(world, replace(0), 1);
    let world = sent(world, replace(1), 0);
    let model = Model::new(
        world,
        &[Request::Complete(0), Request::Complete(1), Request::Delete(0)],
    );
    Model {
        comes: |clock| !matches!(clock, Clock::Expiry(_)),
        ..model
    }
}

/// The name of an upload is taken, and then it is not.
pub(crate) fn name_taken() -> Model {
    let world = file(
        World::empty(2),
        Wish {
            name: 0,
            ..wish(2, 0, None)
        },
        0,
    );
    let world = sent(world, wish(0, 0, None), 1);
    let script = [
        Request::Complete(0),
        Request::Delete(0),
        Request::Complete(0),
        Request::Abort(0),
    ];
    Model::new(world, &script)
}

/// A blob is replicated, and its file deleted.
pub(crate) fn copying() -> Model {
    let world = sent(World::empty(1), wish(0, 0, None), 0);
    let world = World {
        has_target: true,
        ..world
    };
    Model::new(world, &[Request::Complete(0), Request::Delete(0)]).width(3)
}

/// Multipart uploads are begun and not recorded.
pub(crate) fn unknown_multiparts() -> Model {
    let world = World {
        reconciled: true,
        ..World::empty(1)
    };
    let world = open(world, wish(0, 0, None));
    let script = [
        Request::Sign(0),
        Request::Sign(0),
        Request::Put(0, 0),
        Request::Complete(0),
    ];
    let model = Model::new(world, &script);
    Model {
        comes: |clock| !matches!(clock, Clock::Expiry(_)),
        ..model
    }
}

/// An upload is finalized, and the reconciler comes by.
pub(crate) fn reconciling() -> Model {
    let world = World {
        reconciled: true,
        ..World::empty(1)
    };
    let world = sent(world, wish(0, 0, None), 0);
    Model::new(
        world,
        &[Request::Complete(0), Request::Delete(0), Request::Abort(0)],
    )
}

/// Files are made at once of an own one, which is deleted meanwhile.
pub(crate) fn creating() -> Model {
    let world = file(World::empty(2), wish(2, 0, None), 0);
    let first = Wish {
        on_conflict: OnConflict::Replace,
        ..wish(0, 0, Some(0))
    };
    let script = [
        Request::Create(first),
        Request::Create(wish(1, 0, Some(0))),
        Request::Delete(0),
    ];
    Model::new(world, &script).width(3)
}
