//! A look behind the API: what is written in the table, stored in the bucket, waiting in the queues.

mod bucket;
mod function;
mod protocols;
mod queue;
mod role;
mod secret;
mod table;

pub(crate) use bucket::{
    abort_multipart, all_multipart_uploads, lose_object, multipart_uploads, object, object_keys, spoil_object,
};
pub(crate) use function::{Deployed, deployed, function_environment, invoke};
pub(crate) use protocols::call;
pub(crate) use queue::{dead_letters, send_message};
pub(crate) use role::{credentials_of, iam_query, percent_encoded, policies_of};
pub(crate) use secret::{delete_secret, new_secret, put_secret, secret};
pub(crate) use table::{
    counters_in, item, item_of, items, partition, put, put_in, scan, set, set_in, typed_item,
};
