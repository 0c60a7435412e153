"use strict";
// The public classes. They spell names and check types; what a call means is decided by the core.
Object.defineProperty(exports, "__esModule", { value: true });
exports.System = exports.Grant = exports.Actor = exports.Component = exports.UNLIMITED = exports.Failure = exports.codes = exports.AirwasmError = void 0;
const errors_1 = require("./errors");
const native_1 = require("./native");
const options_1 = require("./options");
const runtime_1 = require("./runtime");
var errors_2 = require("./errors");
Object.defineProperty(exports, "AirwasmError", { enumerable: true, get: function () { return errors_2.AirwasmError; } });
Object.defineProperty(exports, "codes", { enumerable: true, get: function () { return errors_2.codes; } });
Object.defineProperty(exports, "Failure", { enumerable: true, get: function () { return errors_2.Failure; } });
var options_2 = require("./options");
Object.defineProperty(exports, "UNLIMITED", { enumerable: true, get: function () { return options_2.UNLIMITED; } });
// The classes hand these out: nobody else makes their objects or looks inside.
let makeComponent;
let makeActor;
let makeGrant;
let componentHandle;
let actorHandle;
let grantHandle;
/** The handle of an object of this system: handles of two systems look alike. */
function ownHandle(what, system, owner, handle) {
    if (handle === undefined)
        throw errors_1.AirwasmError.argument(what, `the object that a call returned is needed`);
    if (owner !== system)
        throw errors_1.AirwasmError.of(native_1.native.foreignError(what));
    return handle;
}
/** A loaded component: a name, not an owner. */
class Component {
    /** SHA-256 of its bytes, as `sha256:<hex>`. */
    digest;
    #system;
    #handle;
    constructor(system, loaded) {
        this.#system = system;
        this.#handle = loaded.handle;
        this.digest = loaded.digest;
    }
    static {
        makeComponent = (system, loaded) => new Component(system, loaded);
        componentHandle = (system, it) => isObject(it) && #handle in it
            ? ownHandle('component', system, it.#system, it.#handle)
            : ownHandle('component', system, undefined, undefined);
    }
}
exports.Component = Component;
/** An actor: a name that stays valid over its restarts, not an owner. Dropping it stops nothing. */
class Actor {
    /** `namespace/name/instance`. */
    id;
    #system;
    #handle;
    constructor(system, actor) {
        this.#system = system;
        this.#handle = actor.handle;
        this.id = actor.id;
    }
    static {
        makeActor = (system, actor) => new Actor(system, actor);
        actorHandle = (system, it) => isObject(it) && #handle in it
            ? ownHandle('actor', system, it.#system, it.#handle)
            : ownHandle('actor', system, undefined, undefined);
    }
    /** Queues a message and does not wait for its handling. */
    send(payload, options) {
        return this.#system.send(this, payload, options);
    }
    /** Sends a message and waits for the reply; a reply without bytes is empty. */
    request(payload, options) {
        return this.#system.request(this, payload, options);
    }
    /** Gives a capability. */
    grant(capability, options) {
        return this.#system.grant(this, capability, options);
    }
    /** What it was given and still has. */
    grants() {
        return this.#system.grants(this);
    }
    /** Ends it after the message it has in hand; at the deadline it is killed. */
    stop(options) {
        return this.#system.stop(this, options);
    }
    /** Ends it now. */
    kill() {
        return this.#system.kill(this);
    }
    /** What it is doing. */
    status() {
        return this.#system.status(this);
    }
}
exports.Actor = Actor;
/** One capability given to one actor. */
class Grant {
    #system;
    #handle;
    constructor(system, handle) {
        this.#system = system;
        this.#handle = handle;
    }
    static {
        makeGrant = (system, handle) => new Grant(system, handle);
        grantHandle = (system, it) => isObject(it) && #handle in it
            ? ownHandle('grant', system, it.#system, it.#handle)
            : ownHandle('grant', system, undefined, undefined);
    }
    /** Takes it back; how many open resources that cut. */
    revoke() {
        return this.#system.revoke(this);
    }
}
exports.Grant = Grant;
function isObject(value) {
    return typeof value === 'object' && value !== null;
}
/** A stream of events; its end is `return`, or the end of its system. */
class Events {
    #system;
    #open;
    #stream;
    #ended = false;
    constructor(system, open) {
        this.#system = system;
        this.#open = open;
        // The stream starts here. An error is told by `next`: nothing in this package throws but through a promise.
        try {
            this.#stream = open();
        }
        catch {
            this.#stream = undefined;
        }
    }
    async next() {
        if (this.#ended)
            return { done: true, value: undefined };
        this.#stream ??= this.#open();
        const event = await (0, runtime_1.outcome)(this.#system, this.#stream.next(), eventOf);
        if (event !== undefined)
            return { done: false, value: event };
        this.#ended = true;
        return { done: true, value: undefined };
    }
    async return() {
        this.#ended = true;
        this.#stream?.close();
        return { done: true, value: undefined };
    }
    [Symbol.asyncIterator]() {
        return this;
    }
}
function eventOf(event) {
    if (event === null)
        return undefined;
    const { seq, timeUnixMs, kind, actor, detail } = event;
    const shown = { seq, time: new Date(timeUnixMs), kind, detail: JSON.parse(detail) };
    return actor === undefined ? shown : { ...shown, actor };
}
/**
 * One world of components, actors and grants. Close it when it is no longer needed; collected without having been
 * closed, it kills its actors. No method throws: errors are rejections with an {@link AirwasmError}.
 */
class System {
    #native;
    constructor(system) {
        this.#native = system;
    }
    /** The version of the core. */
    static version() {
        return native_1.native.version();
    }
    /** Opens a system: its threads, its engine, its audit log. */
    static async open(options) {
        return new System((0, runtime_1.value)(runtime_1.host.open((0, options_1.openOptions)(options))));
    }
    /** Loads a component from a file. */
    async load(path, options) {
        const { signal } = (0, options_1.abortOptions)(options);
        const file = (0, options_1.path)(path, 'path');
        (0, runtime_1.checkSignal)(signal);
        return (0, runtime_1.outcome)(this, this.#native.load(file), (loaded) => makeComponent(this, loaded), signal);
    }
    /** Loads a component from its bytes, which are copied. */
    async loadBytes(component, options) {
        const { signal } = (0, options_1.abortOptions)(options);
        const copied = (0, options_1.bytes)(component, 'component');
        (0, runtime_1.checkSignal)(signal);
        return (0, runtime_1.outcome)(this, this.#native.loadBytes(copied), (loaded) => makeComponent(this, loaded), signal);
    }
    /** What is known of a component before it runs. */
    async inspect(component) {
        return (0, runtime_1.value)(this.#native.inspect(componentHandle(this, component)));
    }
    /** Forgets a component; its actors keep it. */
    async unload(component) {
        (0, runtime_1.value)(this.#native.unload(componentHandle(this, component)));
    }
    /** Starts a guest as an actor. */
    async spawn(component, options) {
        const spec = { ...(0, options_1.spawnOptions)(options), component: componentHandle(this, component) };
        return (0, runtime_1.outcome)(this, this.#native.spawn(spec), (actor) => makeActor(this, actor));
    }
    /** Makes a function an actor. It runs on this thread's event loop and does not keep the process alive. */
    async spawnHost(handler, options) {
        if (typeof handler !== 'function')
            throw errors_1.AirwasmError.argument('handler', 'a function is needed');
        const spec = (0, options_1.spawnOptions)(options);
        return makeActor(this, (0, runtime_1.withHandler)(this, handler, (number) => this.#native.spawnHost(spec, number)));
    }
    /** The actor of this id. */
    async lookup(id) {
        return makeActor(this, (0, runtime_1.value)(this.#native.lookup((0, options_1.text)(id, 'id'))));
    }
    /** All actors. */
    async list() {
        return (0, runtime_1.value)(this.#native.list());
    }
    /** As {@link Actor.send}. */
    async send(actor, payload, options) {
        const { contentType } = (0, options_1.sendOptions)(options);
        (0, runtime_1.value)(this.#native.send(actorHandle(this, actor), (0, options_1.payload)(payload, 'payload'), contentType));
    }
    /** As {@link Actor.request}. */
    request(actor, payload, options) {
        // Not an async function, which would put a second promise around the first.
        try {
            const { timeoutMs, contentType, signal } = (0, options_1.requestOptions)(options);
            const handle = actorHandle(this, actor);
            const sent = (0, options_1.payload)(payload, 'payload');
            (0, runtime_1.checkSignal)(signal);
            const answer = this.#native.request(handle, sent, timeoutMs, contentType);
            return (0, runtime_1.outcome)(this, answer, (reply) => reply, signal);
        }
        catch (error) {
            return Promise.reject(error);
        }
    }
    /** As {@link Actor.grant}. */
    async grant(actor, capability, options) {
        const { ttlMs } = (0, options_1.grantOptions)(options);
        const asked = (0, options_1.capability)(capability, 'capability');
        return makeGrant(this, (0, runtime_1.value)(this.#native.grant(actorHandle(this, actor), asked, ttlMs)));
    }
    /** As {@link Grant.revoke}. */
    async revoke(grant) {
        return (0, runtime_1.value)(this.#native.revoke(grantHandle(this, grant)));
    }
    /** As {@link Actor.grants}. */
    async grants(actor) {
        const grants = (0, runtime_1.value)(this.#native.grants(actorHandle(this, actor)));
        return grants.map((info) => ({ ...info, grant: makeGrant(this, info.grant) }));
    }
    /** As {@link Actor.stop}. */
    async stop(actor, options) {
        const { deadlineMs } = (0, options_1.deadlineOptions)(options);
        return (0, runtime_1.outcome)(this, this.#native.stop(actorHandle(this, actor), deadlineMs), () => undefined);
    }
    /** As {@link Actor.kill}. */
    async kill(actor) {
        (0, runtime_1.value)(this.#native.kill(actorHandle(this, actor)));
    }
    /** As {@link Actor.status}. */
    async status(actor) {
        return (0, runtime_1.value)(this.#native.status(actorHandle(this, actor)));
    }
    /**
     * Events of these kinds from this call on: a comma list of kinds, families such as `actor.*`, or `*`. A slow reader
     * sees `events.lost`.
     */
    events(kinds = '*') {
        return new Events(this, () => (0, runtime_1.value)(this.#native.events((0, options_1.text)(kinds, 'kinds'))));
    }
    /** Counters. */
    async stats() {
        return (0, runtime_1.value)(this.#native.stats());
    }
    /** Stops every actor, kills at the deadline what has not stopped, and reports. Closing again gives the same. */
    async close(options) {
        const { deadlineMs } = (0, options_1.deadlineOptions)(options);
        return (0, runtime_1.outcome)(this, this.#native.close(deadlineMs), (report) => report);
    }
    /** Whether it was closed. */
    isClosed() {
        return (0, runtime_1.value)(this.#native.isClosed());
    }
    /** {@link System.close}, for `await using`. */
    async [Symbol.asyncDispose]() {
        await this.close();
    }
}
exports.System = System;
