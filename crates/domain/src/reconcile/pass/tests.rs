use super::*;
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn passes_keep_their_distance() {
    let hour = SignedDuration::from_hours(1);
    let mut progress = Progress::default();
    let first = progress.pass(at(0), hour, &[]).unwrap();
    assert_eq!(first.place, PageStart::START);
    // However long it takes, it is gone on with.
    progress = progress.after_page(first, Counts::default(), None, at(10));
    let second = progress.pass(at(100_000), hour, &[]).unwrap();
    assert_eq!(
        (second.started_at, &second.place),
        (at(0), &PageStart::Multiparts { after: None })
    );
    progress = progress.after_page(
        second,
        Counts::default(),
        Some(PageStart::Rows { after: None }),
        at(20),
    );
    let third = progress.pass(at(30), hour, &[]).unwrap();
    progress = progress.after_page(third, Counts::default(), None, at(40));
    assert_eq!(progress.last.as_ref().unwrap().ended_at, at(40));
    assert_eq!(progress.pass(at(3599), hour, &[]), None);
    assert_eq!(progress.pass(at(3600), hour, &[]).unwrap().started_at, at(3600));
}

fn blob(number: u128) -> BlobId {
    format!("{number:032x}").parse().unwrap()
}

/// A pass over blobs of which some have no object. Returns what it says of them, and the progress afterwards.
fn pass_over(progress: &Progress, blobs: u128, without: u128, now: i64) -> (Missing, Progress) {
    let hours = SignedDuration::from_hours(1);
    let mut pass = progress.pass(at(now), hours, &[]).unwrap();
    pass.note(&Seen {
        objects: (without..blobs).map(blob).collect(),
        blobs: Vec::new(),
    });
    let text = serde_json::to_string(&pass).unwrap();
    let mut pass: Pass = serde_json::from_str(&text).unwrap();
    pass.note(&Seen {
        objects: Vec::new(),
        blobs: (0..blobs).rev().map(blob).collect(),
    });
    pass.place = PageStart::Rows { after: None };
    (
        pass.missing(),
        progress.after_page(pass, Counts::default(), None, at(now)),
    )
}

#[test]
fn a_pass_names_the_blobs_without_an_object() {
    let (missing, progress) = pass_over(&Progress::default(), 1000, 2, 0);
    let Missing::Perhaps(mut missing) = missing else {
        panic!("it cannot tell");
    };
    missing.sort();
    assert_eq!(missing, [blob(0), blob(1)]);
    assert!(!progress.last.as_ref().unwrap().undecided);
    assert_eq!(progress.pass(at(10), SignedDuration::from_hours(1), &[]), None);
}

/// The one after it asks for every object, at once; and the one after that is like all others.
#[test]
fn a_pass_that_cannot_tell_is_followed_by_one_that_asks() {
    let (missing, progress) = pass_over(&Progress::default(), 1000, 900, 0);
    assert_eq!(missing, Missing::TooMany);
    let next = progress.pass(at(10), SignedDuration::from_hours(1), &[]).unwrap();
    assert_eq!((next.number, &next.sketch), (1, &None));
    let (missing, progress) = pass_over(&progress, 1000, 900, 10);
    assert_eq!(missing, Missing::Perhaps(Vec::new()), "it has asked");
    assert_eq!(progress.pass(at(20), SignedDuration::from_hours(1), &[]), None);
    let later = progress
        .pass(at(3610), SignedDuration::from_hours(1), &[])
        .unwrap();
    assert_eq!((later.number, later.sketch), (2, Some(Sketch::default())));
}

#[test]
fn blobs_are_compared_that_both_sides_see_in_the_same_way() {
    let pass = Progress::default()
        .pass(at(1000), SignedDuration::ZERO, &[])
        .unwrap();
    // The present time is not the same for both.
    for now in [1000, 5000] {
        let age = Age {
            now: at(now),
            min: SignedDuration::from_secs(100),
        };
        let lost = Life {
            lost: true,
            ..Life::NEW
        };
        let reclaiming = Life {
            reclaiming: true,
            ..Life::NEW
        };
        for (life, created_at, compared) in [
            (Life::NEW, 900, true),
            (Life::NEW, 901, false),
            (lost, 900, false),
            (reclaiming, 900, false),
        ] {
            assert_eq!(
                pass.is_compared(&life, at(created_at), &age),
                compared,
                "{life:?} {created_at} {now}"
            );
        }
    }
}

/// A pass that an older release began goes on, and checks every object, as that release did.
#[test]
fn a_pass_of_an_older_release_asks_for_every_object() {
    let text =
        r#"{"under_way":{"started_at":"2026-01-02T03:04:05Z","place":{"phase":"objects"},"counts":{}}}"#;
    let progress: Progress = serde_json::from_str(text).unwrap();
    let pass = progress.pass(at(0), SignedDuration::ZERO, &[]).unwrap();
    assert_eq!((pass.number, pass.sketch), (0, None));
}

proptest! {
    // However many pages there are, and however often a run begins with the stored progress: every page is
    // seen once, in order, and counted once.
    #[test]
    fn a_pass_sees_every_page_once(pages in prop::array::uniform3(1u64..20), reload in any::<bool>()) {
        let (mut progress, mut seen) = (Progress::default(), Vec::new());
        for now in 0.. {
            let Some(pass) = progress.pass(at(now), SignedDuration::from_hours(24), &[]) else { break };
            let (phase, number) = match &pass.place {
                PageStart::Objects { after } => (0, after.as_ref().map_or(0, |key| key.parse().unwrap())),
                PageStart::Multiparts { after } => (1, after.as_ref().map_or(0, |m| m.key.parse().unwrap())),
                PageStart::Rows { after } => (2, after.as_ref().map_or(0, |(pk, _)| pk.parse().unwrap())),
            };
            seen.push((phase, number));
            let key = (number + 1).to_string();
            let next = (number + 1 < pages[phase]).then(|| match phase {
                0 => PageStart::Objects { after: Some(key) },
                1 => PageStart::Multiparts { after: Some(Marker { key, id: None }) },
                _ => PageStart::Rows { after: Some((key, String::new())) },
            });
            let counts = Counts { failed: 1, ..Counts::default() };
            progress = progress.after_page(pass, counts, next, at(now));
            if reload {
                let text = serde_json::to_string(&progress).unwrap();
                progress = serde_json::from_str(&text).unwrap();
            }
        }
        let all: Vec<_> = (0..3).flat_map(|phase| (0..pages[phase]).map(move |page| (phase, page))).collect();
        prop_assert_eq!(&seen, &all);
        prop_assert_eq!(progress.last.unwrap().counts.failed, all.len() as u64);
        prop_assert_eq!(progress.under_way, None);
    }
}
