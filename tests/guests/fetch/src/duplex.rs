//! http both ways at once: whatever there is room or bytes for goes on.

use wasip2::http::types::{FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody};
use wasip2::io::poll::poll;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use super::{Failure, failure, web};

const PIECE: [u8; 4_096] = [b'x'; 4_096];

type Done<T> = Result<T, Failure>;

/// What is still to be written.
struct Writing {
    open: Option<(OutputStream, OutgoingBody)>,
    left: usize,
}

/// What has come so far; the streams before what they are of.
#[derive(Default)]
struct Reading {
    open: Option<(InputStream, IncomingBody, IncomingResponse)>,
    bytes: usize,
    is_over: bool,
}

pub fn exchange(url: &str, bytes: usize) -> Done<String> {
    let (body, answer) = web::post(url)?;
    let stream = body.write().map_err(|()| failure("refused", "stream"))?;
    let mut writing = Writing { open: Some((stream, body)), left: bytes };
    let mut reading = Reading::default();
    while !reading.is_over {
        wait(&writing, &reading, &answer);
        writing.go_on()?;
        reading.go_on(&answer)?;
    }
    match writing.left {
        0 => Ok(reading.bytes.to_string()),
        left => Err(failure("unwritten", left)),
    }
}

fn wait(writing: &Writing, reading: &Reading, answer: &FutureIncomingResponse) {
    let room = writing.open.as_ref().map(|(stream, _)| stream.subscribe());
    let arrivals = match &reading.open {
        Some((stream, ..)) => stream.subscribe(),
        None => answer.subscribe(),
    };
    poll(&room.iter().chain([&arrivals]).collect::<Vec<_>>());
}

impl Writing {
    fn go_on(&mut self) -> Done<()> {
        let Some((stream, _)) = &self.open else { return Ok(()) };
        let room = stream.check_write().map_err(|why| web::stream_failure(&why))? as usize;
        let count = room.min(self.left).min(PIECE.len());
        if count > 0 {
            stream.write(&PIECE[..count]).map_err(|why| web::stream_failure(&why))?;
            self.left -= count;
        }
        if self.left == 0
            && let Some((stream, body)) = self.open.take()
        {
            drop(stream);
            OutgoingBody::finish(body, None).map_err(web::code)?;
        }
        Ok(())
    }
}

impl Reading {
    fn go_on(&mut self, answer: &FutureIncomingResponse) -> Done<()> {
        let Some((stream, ..)) = &self.open else {
            let Some(response) = answer.get() else { return Ok(()) };
            let refused = |what: &str| failure("refused", what);
            let response = response.map_err(|()| refused("second answer"))?.map_err(web::code)?;
            let body = response.consume().map_err(|()| refused("body"))?;
            self.open = Some((body.stream().map_err(|()| refused("stream"))?, body, response));
            return Ok(());
        };
        match stream.read(64 << 10) {
            Ok(bytes) => self.bytes += bytes.len(),
            Err(StreamError::Closed) => self.is_over = true,
            Err(why) => return Err(web::stream_failure(&why)),
        }
        Ok(())
    }
}
