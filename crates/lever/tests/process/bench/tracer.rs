//! `strace` on a server that runs: it counts system calls, or makes the n-th one fail, wait or be
//! the last.

use std::collections::BTreeMap;
use std::process::Command;

use super::process::{Process, Signal};

/// What writes to a disk or a socket, or makes what was written last.
pub(crate) const WRITE_LIKE: &str = "write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,fsync,\
     fdatasync,ftruncate,fallocate,rename,renameat,renameat2,unlink,unlinkat";

/// A tracer; it lets go when it is dropped.
pub(crate) struct Tracer {
    process: Process,
    log: tempfile::TempDir,
}

/// One of a process's threads, by name, and one of its system calls.
pub(crate) type Site = (String, String);

impl Tracer {
    /// Takes hold of every thread of a process and of those it will start, with these further
    /// words on strace's command line.
    #[track_caller]
    pub(crate) fn of_process(id: u32, words: &[&str]) -> Self {
        let id = id.to_string();
        Self::start(&[&["-f", "-p", &id], words].concat())
    }

    /// Takes hold of the threads of this name only.
    #[track_caller]
    pub(crate) fn of_threads(id: u32, name: &str, words: &[&str]) -> Self {
        let threads: Vec<String> = threads(id)
            .into_iter()
            .filter(|(_, of)| of == name)
            .map(|(thread, _)| format!("--attach={thread}"))
            .collect();
        assert!(!threads.is_empty(), "no thread {name}");
        let threads: Vec<&str> = threads.iter().map(String::as_str).collect();
        Self::start(&[&threads, words].concat())
    }

    #[track_caller]
    fn start(words: &[&str]) -> Self {
        let log = tempfile::tempdir().unwrap();
        let mut command = Command::new("strace");
        command.arg("-o").arg(log.path().join("calls")).args(words);
        let process = Process::start(command);
        process.stderr.until(|line| line.contains(" attached"));
        Self { process, log }
    }

    /// Lets go.
    #[track_caller]
    pub(crate) fn end(mut self) {
        self.release();
    }

    /// Lets go of all threads of `id`, and tells how often each made each call.
    #[track_caller]
    pub(crate) fn counted(mut self, id: u32) -> BTreeMap<Site, usize> {
        self.release();
        let names: BTreeMap<u32, String> = threads(id).into_iter().collect();
        let calls = std::fs::read_to_string(self.log.path().join("calls")).unwrap();
        let mut counts = BTreeMap::new();
        for line in calls.lines().filter(|line| !line.contains(" resumed>")) {
            let Some((thread, rest)) = line.split_once(' ') else {
                continue;
            };
            let Some((call, _)) = rest.trim_start().split_once('(') else {
                continue;
            };
            // A thread that has ended since cannot be found again by its name.
            if let Some(name) = thread.parse().ok().and_then(|thread| names.get(&thread)) {
                *counts.entry((name.clone(), call.to_owned())).or_default() += 1;
            }
        }
        counts
    }

    fn release(&mut self) {
        self.process.signal(Signal::Interrupt);
        self.process.end();
    }
}

/// The threads of a process and their names.
fn threads(id: u32) -> Vec<(u32, String)> {
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let named = |task: std::io::Result<std::fs::DirEntry>| {
        let task = task.ok()?;
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        let thread = task.file_name().to_str()?.parse().ok()?;
        Some((thread, name.trim().to_owned()))
    };
    tasks.filter_map(named).collect()
}
