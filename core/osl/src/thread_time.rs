use std::fs::File;
use std::io::{Read, Seek};
use std::time::Duration;

/// How long one thread has computed since this was made on it; any thread may ask.
pub struct ThreadTime {
    /// `schedstat` of the thread, if the system has one: Linux.
    told: Option<File>,
    before: Duration,
}

impl ThreadTime {
    /// Of the thread that calls, from now.
    pub fn of_this() -> Self {
        let told = File::open("/proc/thread-self/schedstat").ok();
        let before = told.as_ref().and_then(read).unwrap_or_default();
        Self { told, before }
    }

    /// None where the system does not tell, or the thread has ended.
    pub fn spent(&self) -> Option<Duration> {
        self.told.as_ref().and_then(read).map(|all| all.saturating_sub(self.before))
    }
}

/// Its first number: nanoseconds on a processor.
fn read(mut told: &File) -> Option<Duration> {
    let mut text = String::new();
    told.rewind().ok()?;
    told.take(128).read_to_string(&mut text).ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_computes_is_seen_from_another_and_what_it_waits_is_not() {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let (begun, begin) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let time = std::sync::Arc::new(ThreadTime::of_this());
            while time.spent().expect("Linux") < Duration::from_millis(20) {
                std::hint::spin_loop();
            }
            begun.send(time.clone()).expect("waits");
            let _ = ended.recv();
        });
        let time = begin.recv().expect("computes");
        assert!(time.spent().expect("Linux") >= Duration::from_millis(20));
        drop(end);
        thread.join().expect("ends");
        assert_eq!(time.spent(), None);
    }
}
