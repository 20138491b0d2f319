//! What clients see of what is stored.

use domain::content::PartDigest;
use domain::id::NodeId;
use domain::targets::registry::Member;
use domain::versions::VersionId;
use domain::{proof, upload};
use jiff::Timestamp;
use store::StoreError;
use store::objects::SignedRequest;
use store::rows::{AccountRow, FileContent, NodeRow, ReplicaRow, TokenRow, UploadRow, VersionRow};
use store::targets::Status;
use wire::account::{Account, Summary};
use wire::file::{Kind, Node, Replica};
use wire::target::{Circuit, Target};
use wire::token::PersonalToken;
use wire::upload::{Challenge, ReceivedPart, SignedPart, Upload};
use wire::version::Version;

/// An account whose open uploads have so many bytes.
#[must_use]
pub fn account(row: &AccountRow, open_uploads: u64) -> Account {
    Account {
        summary: summary(row),
        used: row.used(open_uploads),
    }
}

/// An account, without what has the bytes that it uses.
#[must_use]
pub fn summary(row: &AccountRow) -> Summary {
    Summary {
        id: row.id.clone(),
        username: row.username.clone(),
        quota_bytes: row.quota_bytes,
        used_bytes: row.quota().used(),
        role: row.role,
        created_at: row.created_at,
    }
}

/// A personal access token, without its text.
#[must_use]
pub fn token(row: &TokenRow) -> PersonalToken {
    PersonalToken {
        id: row.id.clone(),
        name: row.name.clone(),
        scopes: row.scopes.clone(),
        created_at: row.created_at,
        expires_at: row.expires_at,
        token: None,
    }
}

/// An upload as it is stored, for a client that asks now: a challenge that is over is not shown.
///
/// # Errors
/// `ErrorKind::Corrupt` when the stored size has no part plan.
pub fn upload(row: &UploadRow, now: Timestamp) -> Result<Upload, StoreError> {
    let plan = row.parts()?;
    let state = row.lifecycle().state_at(now);
    let stored = row.challenge.as_ref();
    let stored = stored.filter(|_| state == upload::State::ProofRequired);
    Ok(Upload {
        id: row.id.clone(),
        state,
        name: row.name.clone(),
        parent: row.parent.clone(),
        size: row.size,
        part_size: plan.part_size(),
        part_count: plan.part_count(),
        content_type: row.content_type.clone(),
        content_id: row.content_id,
        on_conflict: row.on_conflict,
        created_at: row.created_at,
        expires_at: row.expires_at,
        challenge: stored.map(|stored| challenge(&stored.challenge)),
        received: None,
        file: None,
    })
}

fn challenge(challenge: &proof::Challenge) -> Challenge {
    Challenge {
        algorithm: "HMAC-SHA256",
        nonce: challenge.nonce,
        ranges: challenge.ranges.clone(),
        expires_at: challenge.expires_at,
    }
}

/// Parts that the store has.
#[must_use]
pub fn received(parts: Vec<(u32, u64, PartDigest)>) -> Vec<ReceivedPart> {
    let part = |(number, size, sha256)| ReceivedPart { number, size, sha256 };
    parts.into_iter().map(part).collect()
}

/// How to send part `number`.
#[must_use]
pub fn signed_part(number: u32, request: SignedRequest) -> SignedPart {
    let SignedRequest {
        url,
        headers,
        expires_at,
    } = request;
    SignedPart {
        number,
        url,
        headers,
        expires_at,
    }
}

/// A file or a folder.
#[must_use]
pub fn node(row: &NodeRow) -> Node {
    let file = row.file.as_ref();
    Node {
        id: row.id.clone(),
        kind: if file.is_some() { Kind::File } else { Kind::Folder },
        name: row.name.clone(),
        parent: row.parent.clone(),
        size: file.map(|file| file.size),
        content_type: file.and_then(|file| file.content_type.clone()),
        content_id: file.map(|file| file.content_id),
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
        trashed_at: row.trashed_at,
        replicas: None,
    }
}

/// A version of a file.
#[must_use]
pub fn version(row: &VersionRow) -> Version {
    let file = &row.file;
    Version {
        current: false,
        replaced_at: Some(row.replaced_at),
        expires_at: (!file.kept).then_some(row.expires_at),
        ..content(&row.node, file, row.replaced_at)
    }
}

/// The content that a file has.
#[must_use]
pub fn current_version(row: &NodeRow, file: &FileContent) -> Version {
    content(&row.id, file, row.created_at)
}

fn content(node: &NodeId, file: &FileContent, otherwise: Timestamp) -> Version {
    Version {
        id: VersionId {
            node: node.clone(),
            number: file.number,
        },
        number: file.number,
        current: true,
        size: file.size,
        content_type: file.content_type.clone(),
        content_id: file.content_id,
        created_at: file.since.unwrap_or(otherwise),
        replaced_at: None,
        kept: file.kept,
        expires_at: None,
    }
}

/// A file with its copies at the targets as of a moment: until when those are waited for that are not available.
#[must_use]
pub fn file(row: &NodeRow, replicas: &[ReplicaRow], at: Timestamp) -> Node {
    Node {
        replicas: Some(replicas.iter().map(|row| replica(row, at)).collect()),
        ..node(row)
    }
}

fn replica(row: &ReplicaRow, at: Timestamp) -> Replica {
    Replica {
        target: row.target.clone(),
        kind: row.kind.clone(),
        state: row.state,
        bytes_done: row.bytes_done,
        attempts: row.attempts,
        last_error: row.last_error.clone(),
        key: row.key.clone(),
        since: row.since,
        available_at: row.available_at,
        lag_seconds: row.lag(at).as_secs(),
        updated_at: row.updated_at,
    }
}

/// A target as it is doing at `now`.
#[must_use]
pub fn target(member: &Member, status: &Status, now: Timestamp) -> Target {
    let Status {
        counters,
        oldest,
        bytes_per_second,
        circuit: row,
        skipped: _,
    } = status;
    let circuit = Circuit {
        state: match row.circuit.open_until {
            None => "closed",
            Some(_) if row.circuit.probing => "probing",
            Some(_) => "open",
        },
        open_until: row.circuit.open_until,
        failures: row.circuit.failures,
        reason: row.reason.clone(),
    };
    Target {
        name: member.name.clone(),
        kind: member.kind.clone(),
        status: member.status,
        circuit,
        pending: counters.pending.max(0),
        pending_bytes: counters.pending_bytes.max(0),
        failed: counters.failed.max(0),
        failed_bytes: counters.failed_bytes.max(0),
        available: counters.available.max(0),
        available_bytes: counters.available_bytes.max(0),
        oldest_pending_since: *oldest,
        lag_seconds: oldest.map_or(0, |at| now.duration_since(at).as_secs().max(0)),
        bytes_per_second: *bytes_per_second,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::targets::registry::TargetStatus;
    use jiff::SignedDuration;

    /// An answer that is remembered has to be the one that was given, so it depends on nothing but what it is made of.
    #[test]
    fn how_long_a_copy_is_waited_for_is_as_of_the_moment_that_is_given() {
        let since: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let target = Member {
            name: "far".to_owned(),
            kind: "ceph".to_owned(),
            status: TargetStatus::Active,
            only_by_policy: false,
        };
        let row = ReplicaRow::pending(&"b1".parse().unwrap(), 5, &target, since);
        let lag = |at| replica(&row, at).lag_seconds;
        assert_eq!(lag(since), 0);
        assert_eq!(lag(since + SignedDuration::from_secs(7)), 7);
        assert_eq!(lag(since - SignedDuration::from_secs(7)), 0);
    }
}
