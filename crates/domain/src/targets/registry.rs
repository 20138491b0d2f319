//! What every function may know of the targets: their names, and to whom they apply.

use super::config::{Config, Target};
use super::policy::Policy;
use crate::id::AccountId;
use crate::name::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The targets by name, and the policies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TargetRegistry {
    /// All targets that have, or may get, replicas.
    pub members: Vec<Member>,
    /// Which of them apply to whom.
    #[serde(default)]
    pub policies: Vec<Policy>,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its kind, such as `ceph`.
    pub kind: String,
    /// Whether it gets replicas.
    pub status: TargetStatus,
    /// It applies only where a policy names it.
    #[serde(default)]
    pub only_by_policy: bool,
}

/// Whether a target gets replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetStatus {
    /// It does.
    Active,
    /// It does not, and what it has is removed from it.
    Draining,
    /// It is not in the secret any more, so there are no credentials for it: its replicas are forgotten, and its objects are its
    /// owner's.
    Retired,
}

impl TargetRegistry {
    /// The target registry of a document, after this one. Targets that are not in it any more are retired.
    #[must_use]
    pub fn after(&self, config: &Config) -> Self {
        let member = |target: &Target| Member {
            name: target.name.clone(),
            kind: target.kind.as_str().to_owned(),
            status: if target.draining {
                TargetStatus::Draining
            } else {
                TargetStatus::Active
            },
            only_by_policy: target.only_by_policy,
        };
        let mut members: Vec<Member> = config.targets.iter().map(member).collect();
        let gone = self.members.iter().filter(|m| config.target(&m.name).is_none());
        members.extend(gone.map(|member| Member {
            status: TargetStatus::Retired,
            ..member.clone()
        }));
        Self {
            members,
            policies: config.policies.clone(),
        }
    }

    /// The target of this name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Whether the targets of this account's files depend on their folder.
    #[must_use]
    pub fn asks_for_folders(&self, account: &AccountId) -> bool {
        let mine = |policy: &&Policy| policy.account.as_ref().is_none_or(|own| own == account);
        self.policies
            .iter()
            .filter(mine)
            .any(|policy| !policy.folder.is_empty())
    }

    /// The targets that a file gets replicas at, which is in this folder (its names from the root) of this account.
    #[must_use]
    pub fn targets_for(&self, account: &AccountId, folder: &[Name]) -> Vec<&Member> {
        let policy = self
            .policies
            .iter()
            .filter(|policy| policy.applies(account, folder))
            // Of equals the first: `max_by_key` would take the last.
            .rev()
            .max_by_key(|policy| policy.rank());
        let applies = |member: &&Member| match policy {
            Some(policy) => policy.targets.contains(&member.name),
            None => !member.only_by_policy,
        };
        let active = |member: &&Member| member.status == TargetStatus::Active;
        self.members.iter().filter(active).filter(applies).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, status: TargetStatus, only_by_policy: bool) -> Member {
        Member {
            name: name.to_owned(),
            kind: "ceph".to_owned(),
            status,
            only_by_policy,
        }
    }

    fn path(names: &[&str]) -> Vec<Name> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn policy(account: Option<&str>, folder: &[&str], targets: &[&str]) -> Policy {
        Policy {
            account: account.map(|id| id.parse().unwrap()),
            folder: path(folder),
            targets: targets.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    fn names(target_registry: &TargetRegistry, account: &str, folder: &[&str]) -> Vec<String> {
        let account = account.parse().unwrap();
        let targets = target_registry.targets_for(&account, &path(folder));
        targets.into_iter().map(|member| member.name.clone()).collect()
    }

    #[test]
    fn the_most_particular_policy_applies() {
        let target_registry = TargetRegistry {
            members: vec![
                member("a", TargetStatus::Active, false),
                member("b", TargetStatus::Active, false),
                member("c", TargetStatus::Active, true),
                member("d", TargetStatus::Draining, false),
                member("e", TargetStatus::Retired, false),
            ],
            policies: vec![
                policy(None, &["tmp"], &[]),
                policy(None, &["tmp", "keep"], &["b", "d"]),
                policy(Some("ann"), &[], &["a", "c"]),
                policy(Some("ann"), &["tmp"], &["c"]),
                policy(Some("ann"), &["tmp"], &["a"]),
            ],
        };
        assert_eq!(names(&target_registry, "bob", &[]), ["a", "b"]);
        assert_eq!(names(&target_registry, "bob", &["tmp2"]), ["a", "b"]);
        assert!(names(&target_registry, "bob", &["tmp", "x"]).is_empty());
        assert_eq!(names(&target_registry, "bob", &["tmp", "keep", "x"]), ["b"]);
        assert_eq!(names(&target_registry, "ann", &[]), ["a", "c"]);
        assert_eq!(names(&target_registry, "ann", &["tmp", "keep"]), ["c"]);
        assert!(target_registry.asks_for_folders(&"bob".parse().unwrap()));
        assert!(!TargetRegistry::default().asks_for_folders(&"bob".parse().unwrap()));
    }

    #[test]
    fn what_is_not_in_the_secret_any_more_is_retired() {
        let text = r#"{"targets": [{"name": "new", "kind": "ceph", "endpoint": "http://h", "bucket": "b",
            "access_key_id": "i", "secret_access_key": "s", "draining": true}]}"#;
        let before = TargetRegistry {
            members: vec![
                member("old", TargetStatus::Active, false),
                member("new", TargetStatus::Active, false),
            ],
            policies: vec![policy(None, &[], &["old"])],
        };
        let after = before.after(&Config::parse(text).unwrap());
        assert_eq!(after.member("old").unwrap().status, TargetStatus::Retired);
        assert_eq!(after.member("new").unwrap().status, TargetStatus::Draining);
        assert!(after.policies.is_empty());
        assert_eq!(after.after(&Config::parse(text).unwrap()), after);
    }
}
