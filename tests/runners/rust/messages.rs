//! Steps that send and ask.

use std::time::Duration;

use airwasm::{Code, Error, RequestOptions, SendOptions};

use crate::step::{Step, same};
use crate::world::{Outcome, World};

impl World {
    pub fn message(&mut self, op: &str, step: &mut Step) -> Outcome {
        let actor = self.actor(step, "to")?;
        let options = RequestOptions {
            timeout: step.count("timeout_ms").map(Duration::from_millis),
            ..RequestOptions::default()
        };
        match op {
            "send" => self.system.send(actor, step.need("text").as_bytes(), &SendOptions::default())?,
            "request" => {
                let answer = self.system.request(actor, step.need("text").as_bytes(), &options)?;
                check_answer(step, &answer)?;
            }
            "request_size" => {
                let payload =
                    vec![b'x'; usize::try_from(step.count("bytes").expect("bytes")).expect("small")];
                let answer = self.system.request(actor, &payload, &options)?;
                same("bytes", step.count("expect_bytes").expect("expect_bytes"), answer.len() as u64)?;
            }
            _ => {
                let (text, count) = (step.need("text"), step.count("count").expect("count"));
                let many: Vec<_> =
                    (0..count).map(|_| self.system.request_async(actor, text.as_bytes(), &options)).collect();
                let expected = step.need("expect_text");
                for one in many {
                    same("answer", expected.clone(), String::from_utf8_lossy(&one.wait()?).into_owned())?;
                }
            }
        }
        Ok(())
    }

    pub fn request(&mut self, op: &str, step: &mut Step) -> Outcome {
        if op == "request_start" {
            let actor = self.actor(step, "to")?;
            let timeout = step.count("timeout_ms").map(Duration::from_millis);
            let options = RequestOptions { timeout, ..RequestOptions::default() };
            let request = self.system.request_async(actor, step.need("text").as_bytes(), &options);
            self.requests.insert(step.need("as"), request);
            return Ok(());
        }
        let name = step.need("request");
        if op == "request_cancel" {
            // A dropped operation is a cancelled one.
            self.requests.remove(&name);
            self.cancelled.push(name);
            return Ok(());
        }
        match self.requests.remove(&name) {
            Some(request) => check_answer(step, &request.wait()?),
            None if self.cancelled.contains(&name) => Err(Error::new(Code::Cancelled, "cancelled").into()),
            None => Err(format!("no request {name}").into()),
        }
    }
}

fn check_answer(step: &mut Step, answer: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(answer).into_owned();
    if let Some(part) = step.text("expect_part")
        && !text.contains(&part)
    {
        return Err(format!("the answer is {text:?}").into());
    }
    Ok(step.text("expect_text").map_or(Ok(()), |expected| same("answer", expected, text))?)
}
