//! A real Ceph: read with boto3, as any other client would, and killed when a test asks for it.

use super::stack::{python, read, root};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use tokio::task::spawn_blocking;

/// What `cargo xtask` wrote down about it.
#[derive(Deserialize)]
struct Ceph {
    /// A command to which `kill` or `start` is added.
    control: Vec<String>,
}

fn ceph() -> &'static Ceph {
    static CEPH: LazyLock<Ceph> = LazyLock::new(|| read("LONGSHORE_CEPH"));
    &CEPH
}

/// [`control`], while the other tasks of the test go on.
pub(crate) async fn control_meanwhile(arguments: &[&'static str]) {
    let arguments = arguments.to_vec();
    spawn_blocking(move || control(&arguments)).await.unwrap();
}

/// `cargo xtask ceph <arguments>`, on the Ceph under test.
pub(crate) fn control(arguments: &[&str]) {
    let control = &ceph().control;
    let output = Command::new(&control[0])
        .args(&control[1..])
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Runs `tests/tools/ceph.py`, which is boto3 and nothing of ours, and returns its answer.
pub(crate) fn boto3(arguments: &[&str]) -> Value {
    let output = Command::new(python())
        .arg(root().join("tests/tools/ceph.py"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// An object's bytes.
pub(crate) fn object(key: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("object");
    download(key, &path);
    std::fs::read(path).unwrap()
}

/// Downloads an object to a file.
pub(crate) fn download(key: &str, path: &Path) {
    boto3(&["get", key, path.to_str().unwrap()]);
}

/// Whether there is an object.
pub(crate) fn has(key: &str) -> bool {
    boto3(&["has", key]) == true
}

/// How many multipart uploads of a key are under way.
pub(crate) fn multipart_uploads(key: &str) -> usize {
    boto3(&["multipart-uploads", key]).as_array().unwrap().len()
}
