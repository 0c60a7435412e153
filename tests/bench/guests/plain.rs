//! The same guests in a program that has only wasmtime and wasmtime-wasi, each with its defaults: the peer.

use std::error::Error;
use std::future::Future;
use std::path::Path;

use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::client::conn::http1::Builder;
use tokio::net::TcpStream;
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, Result as HttpResult, WasiBody, WasiHttpCtx, WasiHttpCtxView,
    WasiHttpHooks, WasiHttpView,
};

use bindings::Actor;
use bindings::airssys::wasm::messaging::{self, Error as MessagingError};
use bindings::airssys::wasm::types;
use bindings::exports::airssys::wasm::handler::Message;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "airssys:wasm/actor",
        imports: { default: async | trappable },
        exports: { default: async },
    });
}

type Io = Box<dyn Future<Output = Result<(), HttpError>> + Send>;

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    hooks: Direct,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// There are no other actors.
impl messaging::Host for State {
    async fn self_id(&mut self) -> wasmtime::Result<String> {
        Ok("default/plain/0".to_owned())
    }

    async fn send(
        &mut self,
        _: String,
        _: Vec<u8>,
        _: Option<String>,
    ) -> wasmtime::Result<Result<(), MessagingError>> {
        Ok(Err(MessagingError::ActorNotFound))
    }

    async fn request(
        &mut self,
        _: String,
        _: Vec<u8>,
        _: Option<u32>,
    ) -> wasmtime::Result<Result<Vec<u8>, MessagingError>> {
        Ok(Err(MessagingError::ActorNotFound))
    }
}

impl types::Host for State {}

/// Connects, shakes hands and sends, which is all that the crate's own way of sending does for http.
struct Direct;

impl WasiHttpHooks for Direct {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Io,
    ) -> Box<dyn Future<Output = HttpResult<(Response<WasiBody>, Io)>> + Send> {
        Box::new(async move {
            let authority = request.uri().authority().ok_or(HttpError::HttpRequestUriInvalid)?.to_string();
            let stream = TcpStream::connect(authority).await.map_err(HttpError::Connect)?;
            let (mut sender, connection) =
                Builder::new().handshake(TokioIo::new(stream)).await.map_err(HttpError::from)?;
            tokio::spawn(connection);
            let (mut head, body) = request.into_parts();
            let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
            head.uri = Uri::try_from(path).map_err(|_| HttpError::HttpRequestUriInvalid)?;
            let response = sender.send_request(Request::from_parts(head, body)).await?;
            let response = response.map(|body| body.map_err(HttpError::from).boxed_unsync());
            Ok((response, Box::new(async { Ok(()) }) as Io))
        })
    }
}

/// One instance, and the thread's own runtime.
pub struct Plain {
    runtime: Runtime,
    store: Store<State>,
    actor: Actor,
}

impl Plain {
    /// Instantiates a guest that may use this folder, as `/`, and the whole network.
    pub fn new(component: &str, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let engine = Engine::default();
        let component = Component::from_file(&engine, Path::new("target/guests").join(component))?;
        let mut linker = Linker::<State>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        messaging::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        let mut wasi = WasiCtx::builder();
        wasi.preopened_dir(folder, "/", FsPerms::ReadWrite)?.inherit_network();
        let state = State {
            wasi: wasi.build(),
            table: ResourceTable::new(),
            http: WasiHttpCtx::new(),
            hooks: Direct,
        };
        let mut store = Store::new(&engine, state);
        let runtime = RuntimeBuilder::new_current_thread().enable_all().build()?;
        let actor = runtime.block_on(Actor::instantiate_async(&mut store, &component, &linker))?;
        Ok(Self { runtime, store, actor })
    }

    /// Hands it one message.
    pub fn request(&mut self, payload: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
        let message = Message {
            sender: String::new(),
            to: "default/plain/0".to_owned(),
            payload: payload.to_vec(),
            content_type: None,
            correlation: 1,
            deadline_ms: None,
            trace_context: None,
            timestamp_ms: 0,
        };
        let handler = self.actor.airssys_wasm_handler();
        let answer = self.runtime.block_on(handler.call_handle(&mut self.store, &message))?;
        answer.map(Option::unwrap_or_default).map_err(|failure| failure.text.into())
    }
}
