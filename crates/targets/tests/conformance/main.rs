//! What every kind of target must do, tried on real servers: a Ceph gateway, the emulator's S3, and a strict OSS server.
//!
//! A new kind is started in `test_targets.rs` and listed below. A check is a function that gets a place.

#![allow(clippy::disallowed_methods, reason = "tests run in real time")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where it fails, and says so"
)]

mod multiparts;
mod objects;
mod reading;
mod refusals;
mod relay;
mod secrets;
mod test_targets;
mod wire;

/// One test for each check.
macro_rules! checks {
    ($start:path: $($group:ident { $($check:ident),* $(,)? })*) => {
        $($(
            #[tokio::test]
            async fn $check() {
                crate::$group::$check(&$start().await).await;
            }
        )*)*
    };
}

/// The checks that every kind passes.
macro_rules! every_check {
    ($start:path) => {
        checks! { $start:
            objects {
                put_head_read_delete, empty, odd_keys, wrong_source, source_breaks_off, put_again, put_over_others,
            }
            multiparts {
                whole_way, part_again, wrong_source_in_a_part, completed_twice, aborted, listed_and_aborted,
                many_are_found, over_others, incomplete,
            }
            refusals { missing_bucket, dead_address }
            wire { changed_object, changed_part, lost_answer_of_put, lost_answer_of_complete, paced }
            secrets { stay_here }
        }
    };
}

/// The checks that every kind passes whose server looks at signatures. MiniStack does not.
macro_rules! every_check_of_signatures {
    ($start:path) => {
        checks! { $start: refusals { wrong_secret, unknown_key_id, altered_url } }
    };
}

/// Tests with `real_ceph` in their name are left out where there is no Ceph.
mod real_ceph_by_md5 {
    every_check!(crate::test_targets::ceph);
    every_check_of_signatures!(crate::test_targets::ceph);
}

mod s3_by_sha256_virtual_hosted {
    every_check!(crate::test_targets::s3);
}

mod oss_virtual_hosted {
    every_check!(crate::test_targets::oss);
    every_check_of_signatures!(crate::test_targets::oss);
}

mod oss_other_etags {
    every_check!(crate::test_targets::oss_other_etags);
    every_check_of_signatures!(crate::test_targets::oss_other_etags);
}

mod oss_token_custom_domain {
    every_check!(crate::test_targets::oss_token_custom_domain);
    every_check_of_signatures!(crate::test_targets::oss_token_custom_domain);
    checks! { crate::test_targets::oss_token_custom_domain: refusals { wrong_token } }
}

mod oss_path_tls {
    every_check!(crate::test_targets::oss_path_tls);
    every_check_of_signatures!(crate::test_targets::oss_path_tls);
    checks! { crate::test_targets::oss_path_tls: refusals { untrusted } }
}
