//! The folders of an account: which is within which.

use crate::id::NodeId;
use crate::placement::MAX_DEPTH;
use std::collections::HashMap;

/// Where a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At the top.
    Root,
    /// In this folder.
    In(NodeId),
    /// In the trash, by itself: a folder within it is still in it.
    Trash,
}

impl From<Option<NodeId>> for Place {
    fn from(parent: Option<NodeId>) -> Self {
        parent.map_or(Self::Root, Self::In)
    }
}

/// Folders, each with its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folders(HashMap<NodeId, Place>);

/// Why a folder may not go into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoPlace {
    /// There is no such folder, or no way from it to the root: it is in the trash.
    NoFolder,
    /// It is within a folder that is in the trash.
    InTrash,
    /// The other is within it, or is itself.
    WithinItself,
    /// It, or a folder within it, would be deeper than [`MAX_DEPTH`].
    TooDeep,
}

impl FromIterator<(NodeId, Place)> for Folders {
    fn from_iter<T: IntoIterator<Item = (NodeId, Place)>>(folders: T) -> Self {
        Self(folders.into_iter().collect())
    }
}

impl Folders {
    /// Whether a folder may go into another; none is the root. A folder that is not among these is a new one. One that is in the
    /// trash by itself may leave it.
    ///
    /// # Errors
    /// [`NoPlace`] says why it may not.
    pub fn may_go(&self, folder: &NodeId, into: Option<&NodeId>) -> Result<(), NoPlace> {
        let mut depth = 0;
        let mut next = into;
        while let Some(id) = next {
            if id == folder {
                return Err(NoPlace::WithinItself);
            }
            depth += 1;
            if depth >= MAX_DEPTH {
                return Err(NoPlace::TooDeep);
            }
            next = match self.0.get(id) {
                Some(Place::In(parent)) => Some(parent),
                Some(Place::Root) => None,
                Some(Place::Trash) | None => return Err(NoPlace::NoFolder),
            };
        }
        if self.is_within_trash(folder) {
            return Err(NoPlace::InTrash);
        }
        if depth + self.height(folder) > MAX_DEPTH {
            return Err(NoPlace::TooDeep);
        }
        Ok(())
    }

    /// Whether the way up from a folder leads to the root, and not into the trash; none is the root.
    #[must_use]
    pub fn is_in_tree(&self, folder: Option<&NodeId>) -> bool {
        let mut next = folder;
        for _ in 0..=MAX_DEPTH {
            let Some(id) = next else { return true };
            next = match self.0.get(id) {
                Some(Place::In(parent)) => Some(parent),
                Some(Place::Root) => None,
                Some(Place::Trash) | None => return false,
            };
        }
        false
    }

    /// Whether a folder that this one is in is in the trash.
    fn is_within_trash(&self, folder: &NodeId) -> bool {
        let above = |id: &NodeId| match self.0.get(id) {
            Some(Place::In(parent)) => Some(parent.clone()),
            _ => None,
        };
        let depth = usize::try_from(MAX_DEPTH).unwrap_or(usize::MAX);
        std::iter::successors(above(folder), above)
            .take(depth)
            .any(|id| self.0.get(&id) == Some(&Place::Trash))
    }

    /// How many folders are within each other from this one on, itself counted.
    fn height(&self, folder: &NodeId) -> u64 {
        let below = self.0.keys().filter_map(|id| self.levels_below(id, folder));
        1 + below.max().unwrap_or(0)
    }

    /// How far a folder is below another, if it is.
    fn levels_below(&self, folder: &NodeId, other: &NodeId) -> Option<u64> {
        let mut at = folder;
        for levels in 0..=MAX_DEPTH {
            if at == other {
                return Some(levels);
            }
            let Place::In(parent) = self.0.get(at)? else {
                return None;
            };
            at = parent;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: usize) -> NodeId {
        format!("n{number}").parse().unwrap()
    }

    /// A chain: each is in the one before.
    fn chain(length: usize) -> Folders {
        let one = |number: usize| (id(number), number.checked_sub(1).map(id).into());
        (0..length).map(one).collect()
    }

    #[test]
    fn nothing_goes_into_itself() {
        let folders = chain(3);
        for (folder, into, result) in [
            (0, Some(0), Err(NoPlace::WithinItself)),
            (0, Some(2), Err(NoPlace::WithinItself)),
            (2, Some(0), Ok(())),
            (2, Some(1), Ok(())),
            (1, None, Ok(())),
            (1, Some(7), Err(NoPlace::NoFolder)),
            (7, Some(2), Ok(())),
        ] {
            let may = folders.may_go(&id(folder), into.map(id).as_ref());
            assert_eq!(may, result, "{folder} into {into:?}");
        }
    }

    #[test]
    fn chains_are_as_long_as_folders_may_be_deep() {
        let longest = usize::try_from(MAX_DEPTH).unwrap();
        let new = id(longest);
        let into = |length: usize| chain(length).may_go(&new, Some(&id(length - 1)));
        assert_eq!(into(longest - 1), Ok(()));
        assert_eq!(into(longest), Err(NoPlace::TooDeep));
        // One chain below another.
        let two = |first: usize, second: usize| {
            let mut folders = chain(first);
            let one = |number: usize| {
                (
                    id(first + number),
                    number.checked_sub(1).map(|at| id(first + at)).into(),
                )
            };
            folders.0.extend((0..second).map(one));
            folders.may_go(&id(first), Some(&id(first - 1)))
        };
        assert_eq!(two(60, 40), Ok(()));
        assert_eq!(two(60, 41), Err(NoPlace::TooDeep));
        assert_eq!(two(99, 99), Err(NoPlace::TooDeep));
    }

    #[test]
    fn a_ring_ends_nothing_in_an_endless_loop() {
        let ring: Folders = [(id(0), Place::In(id(1))), (id(1), Place::In(id(0)))]
            .into_iter()
            .collect();
        assert_eq!(ring.may_go(&id(2), Some(&id(0))), Err(NoPlace::TooDeep));
        assert_eq!(ring.may_go(&id(0), Some(&id(1))), Err(NoPlace::WithinItself));
        assert_eq!(ring.may_go(&id(0), None), Ok(()));
    }

    #[test]
    fn nothing_goes_into_the_trash_or_out_of_a_folder_in_it() {
        // 0 > 1 > 2 > 3, and 1 is in the trash.
        let mut folders = chain(4);
        folders.0.insert(id(1), Place::Trash);
        for (folder, into, result) in [
            (7, Some(1), Err(NoPlace::NoFolder)),
            (7, Some(3), Err(NoPlace::NoFolder)),
            (0, Some(3), Err(NoPlace::NoFolder)),
            (2, Some(0), Err(NoPlace::InTrash)),
            (3, None, Err(NoPlace::InTrash)),
            (1, Some(0), Ok(())),
            (1, None, Ok(())),
            (1, Some(2), Err(NoPlace::WithinItself)),
            (7, Some(0), Ok(())),
        ] {
            let may = folders.may_go(&id(folder), into.map(id).as_ref());
            assert_eq!(may, result, "{folder} into {into:?}");
        }
    }

    proptest! {
        /// Whatever may go somewhere: afterwards there is a way from each folder to the root, and it is short enough.
        #[test]
        fn moves_keep_a_tree(moves in prop::collection::vec((0..12_usize, 0..13_usize), 0..60)) {
            let mut folders = Folders::default();
            for (folder, into) in moves {
                let into = (into < 12).then(|| id(into));
                if folders.may_go(&id(folder), into.as_ref()).is_ok() {
                    folders.0.insert(id(folder), into.into());
                }
                for at in folders.0.keys() {
                    let (mut next, mut depth) = (Some(at), 0);
                    while let Some(id) = next {
                        depth += 1;
                        prop_assert!(depth <= MAX_DEPTH);
                        next = match &folders.0[id] {
                            Place::In(parent) => Some(parent),
                            Place::Root | Place::Trash => None,
                        };
                    }
                }
            }
        }
    }
}
