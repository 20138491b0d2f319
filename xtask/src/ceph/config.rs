//! The configuration of a Ceph that is one monitor, one OSD and one gateway on this machine.

use std::path::Path;

/// What differs from one cluster to the next.
pub(super) struct Cluster<'a> {
    pub(super) folder: &'a Path,
    pub(super) fsid: &'a str,
    pub(super) mon_port: u16,
    pub(super) gateway_port: u16,
}

/// How large the OSD believes its disk to be. The file is sparse: it takes what is stored. An OSD that runs full
/// aborts, so this must be more than anyone stores here.
const BLOCK_BYTES: u64 = 200 << 30;

/// The text of `ceph.conf`.
pub(super) fn text(cluster: &Cluster) -> String {
    let Cluster {
        fsid,
        mon_port,
        gateway_port,
        ..
    } = cluster;
    let folder = cluster.folder.display();
    format!(
        "\
[global]
fsid = {fsid}
mon initial members = a
mon host = [v2:127.0.0.1:{mon_port}/0]
public network = 127.0.0.1/32
cluster network = 127.0.0.1/32
run dir = {folder}/run
log file = {folder}/log/$name.log
pid file = {folder}/run/$name.pid
crash dir = {folder}/log
mon cluster log file = {folder}/log/cluster.log
# Paths of sockets are limited to some 100 bytes, and nothing here needs one.
admin socket =

# No keys between the daemons, and with no keys the gateway hangs for minutes unless it speaks plain to the monitor.
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms bind msgr1 = false

# One copy, on the one OSD, in few placement groups, with no manager to adjust them.
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon mgr mkfs grace = 1000000000

# Notice quickly what comes and goes, and do not mind a disk that is nearly full.
paxos propose interval = 0.05
paxos min wait = 0.01
objecter tick interval = 0.5
mon data avail warn = 1
mon data avail crit = 1

# What is left is still enough to see what went wrong.
debug bdev = 0
debug bluefs = 0
debug bluestore = 0
debug mon = 0
debug osd = 0
debug paxos = 0
debug rocksdb = 0

[mon]
mon data = {folder}/mon

[osd]
osd data = {folder}/osd
osd objectstore = bluestore
bluestore block create = true
bluestore block size = {BLOCK_BYTES}
bluestore cache autotune = false
bluestore cache size = 268435456

[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{gateway_port}
rgw dns name = 127.0.0.1
rgw run sync thread = false
rgw enable usage log = false
rgw enable quota threads = false
# Give the space of what was deleted back soon.
rgw gc obj min wait = 30
rgw gc processor period = 30
"
    )
}
