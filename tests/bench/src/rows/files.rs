//! `osl/read-4k`: a small file opened, read and closed, under the default audit.

use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

use airssys_osl::{Audit, AuditConfig, Capability, CapabilitySet, Files};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tempfile::TempDir;

use crate::measure::{Contestant, Metric, Row};

const FILE_BYTES: usize = 4_096;
const READS: usize = 10_000;

pub const ROWS: &[Row] = &[Row { metrics: &[Metric::cost("osl/read-4k", "µs")], contestants: read_4k }];

fn read_4k() -> Vec<Contestant> {
    let directory = Rc::new(tempfile::tempdir().expect("a temporary directory"));
    let root = directory.path().canonicalize().expect("it exists");
    std::fs::create_dir(root.join("d")).expect("it is new");
    std::fs::write(root.join("d/f"), [7; FILE_BYTES]).expect("it is new");
    let root = root.to_str().expect("it is UTF-8");
    let path = format!("{root}/d/f");
    let (of_std, of_tokio) = (path.clone(), path.clone());
    let files = files(root);
    let dir = Dir::open_ambient_dir(root, ambient_authority()).expect("it exists");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    vec![
        reader("ours", &directory, move || {
            files.read_all(&path, FILE_BYTES as u64, "read").expect("granted")
        }),
        reader("cap-std", &directory, move || dir.read("d/f").expect("it exists")),
        Contestant::new("tokio", "", {
            let directory = directory.clone();
            move || {
                let _stays = &directory;
                let path = of_tokio.clone();
                let reading = async move {
                    let began = Instant::now();
                    for _ in 0..READS {
                        black_box(tokio::fs::read(&path).await.expect("it exists"));
                    }
                    began.elapsed().as_secs_f64() * 1e6 / READS as f64
                };
                vec![runtime.block_on(async { tokio::spawn(reading).await.expect("it does not panic") })]
            }
        }),
        reader("std", &directory, move || std::fs::read(&of_std).expect("it exists")),
    ]
}

/// An actor that may read all below the directory.
fn files(root: &str) -> Files {
    let audit = Audit::open(AuditConfig::default()).expect("no file is opened");
    let set = CapabilitySet::new("default/bench/0", audit);
    let grant = Capability::parse(&format!("fs.read {root}/**")).expect("a path without wildcards");
    set.grant(1, grant[0].clone(), None).expect("the directory exists");
    Files::new(set)
}

fn reader(name: &'static str, directory: &Rc<TempDir>, read: impl Fn() -> Vec<u8> + 'static) -> Contestant {
    let directory = directory.clone();
    Contestant::new(name, "", move || {
        let _stays = &directory;
        let began = Instant::now();
        for _ in 0..READS {
            assert_eq!(black_box(read()).len(), FILE_BYTES);
        }
        vec![began.elapsed().as_secs_f64() * 1e6 / READS as f64]
    })
}
