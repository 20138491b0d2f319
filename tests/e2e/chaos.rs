//! Whatever goes wrong between the workers, their queues and the targets: in the end each replica is there, whole, once.

mod duplicates;
mod each_call;
mod kills;
mod real_ceph;
