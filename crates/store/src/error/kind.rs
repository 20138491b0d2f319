//! What errors are, for the code that decides what to do.

/// A condition of a write did not hold. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The username belongs to another account.
    #[error("the username is taken")]
    UsernameTaken,
    /// The invitation is not there (any more), was used, or has ended; or what it is for is gone.
    #[error("the invitation cannot be used")]
    InvitationGone,
    /// The account is gone, or its password or its sessions were changed since it was read.
    #[error("the account was changed meanwhile")]
    AccountChanged,
    /// The session is over, or its refresh token was exchanged since it was read.
    #[error("the session was changed meanwhile")]
    SessionChanged,
    /// The account has no room for the bytes.
    #[error("the account's quota does not allow it")]
    QuotaExceeded,
    /// The parent has an entry of that name.
    #[error("the name is taken")]
    NameTaken,
    /// The parent is not a folder of this account (any more).
    #[error("the parent folder does not exist")]
    ParentGone,
    /// The folder is as deep as folders may be.
    #[error("the parent is too deep for folders within it")]
    TooDeep,
    /// A folder would be within itself.
    #[error("a folder cannot go into itself")]
    WithinItself,
    /// It is in the trash, or within a folder that is.
    #[error("it is in the trash")]
    InTrash,
    /// It is being removed from the trash.
    #[error("it is being removed")]
    BeingRemoved,
    /// Folders of the account were moved or made meanwhile.
    #[error("folders were moved or made meanwhile")]
    FoldersChanged,
    /// The node is not there (any more), or was changed meanwhile.
    #[error("the file or folder was changed or deleted meanwhile")]
    NodeChanged,
    /// As many versions of the file are kept for good as may be.
    #[error("too many versions of the file are kept for good")]
    TooManyKept,
    /// The folder has entries.
    #[error("the folder is not empty")]
    FolderNotEmpty,
    /// Somebody else changed the upload since it was read.
    #[error("the upload was changed meanwhile")]
    UploadChanged,
    /// A blob with this content came into being meanwhile.
    #[error("the content exists already")]
    ContentExists,
    /// The blob is being reclaimed.
    #[error("the blob is being reclaimed")]
    BlobGone,
    /// The idempotency key was used before.
    #[error("the idempotency key was used before")]
    KeyUsed,
    /// The blob is not what was read (any more).
    #[error("the blob was changed meanwhile")]
    BlobChanged,
    /// The parts of a multipart upload are not those that were listed.
    #[error("the parts were changed meanwhile")]
    PartsChanged,
    /// The replica is in another state than was read.
    #[error("the replica was changed meanwhile")]
    ReplicaChanged,
}

/// What an error is, for the code that decides what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A condition of a write did not hold. Nothing was written.
    Conflict(Conflict),
    /// A service has too much to do, or others were at the same items: the same call may succeed a little later.
    Throttled,
    /// A service did not answer, or is broken for the moment. Whether the call took effect is not known.
    Unavailable,
    /// What the call is about is not there: an object, bytes of it, a multipart upload.
    NotFound,
    /// The request was refused for what it says.
    Invalid,
    /// The function may not do it.
    Denied,
    /// What is stored, or what a service answered, cannot be understood.
    Corrupt,
    /// The deployment lacks something.
    Misconfigured,
    /// The table is in another format than that of this release.
    OtherFormat,
    /// A fault of our own.
    Internal,
}

impl ErrorKind {
    /// What stands for an error without a code.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Conflict(_) => "conflict",
            Self::Throttled => "throttled",
            Self::Unavailable => "no answer",
            Self::NotFound => "not found",
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::Corrupt => "corrupt data",
            Self::Misconfigured => "misconfigured",
            Self::OtherFormat => "another format",
            Self::Internal => "internal",
        }
    }
}
