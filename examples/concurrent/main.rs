//! A hundred requests at once, on any executor: this one parks its thread.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{Thread, current, park};

use airwasm::{ActorSpec, Config, Result, System};

async fn concurrent(system: &System) -> Result<usize> {
    let hello = system.lookup("hello")?;
    let many: Vec<_> = (0..100)
        .map(|n: u8| system.request_async(hello, n.to_string().as_bytes(), &Default::default()))
        .collect();
    let mut answers = 0;
    for reply in many {
        // A request starts at the call, not at the await.
        reply.await?;
        answers += 1;
    }
    Ok(answers)
}

fn main() -> Result<()> {
    let guests = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/guests".to_owned()));
    let system = System::open(Config::default())?;
    let component = system.load(&guests.join("hello.wasm"))?;
    system.spawn(ActorSpec::new(component).name("hello"))?;
    println!("{} answers", block_on(concurrent(&system))?);
    system.close(None).map(|_report| ())
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(current())).into();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        park();
    }
}
