import type { ActorStatus, CloseReport, ComponentInfo, Event, GrantInfo, Handler, Stats } from './data';
import type { AbortOptions, Capability, DeadlineOptions, GrantOptions, OpenOptions, Payload, RequestOptions, SendOptions, SpawnOptions } from './options';
export { AirwasmError, codes, Failure } from './errors';
export { UNLIMITED } from './options';
export type * from './data';
export type * from './options';
/** A loaded component: a name, not an owner. */
export declare class Component {
    #private;
    /** SHA-256 of its bytes, as `sha256:<hex>`. */
    readonly digest: string;
    private constructor();
}
/** An actor: a name that stays valid over its restarts, not an owner. Dropping it stops nothing. */
export declare class Actor {
    #private;
    /** `namespace/name/instance`. */
    readonly id: string;
    private constructor();
    /** Queues a message and does not wait for its handling. */
    send(payload: Payload, options?: SendOptions): Promise<void>;
    /** Sends a message and waits for the reply; a reply without bytes is empty. */
    request(payload: Payload, options?: RequestOptions): Promise<Buffer>;
    /** Gives a capability. */
    grant(capability: Capability, options?: GrantOptions): Promise<Grant>;
    /** What it was given and still has. */
    grants(): Promise<GrantInfo[]>;
    /** Ends it after the message it has in hand; at the deadline it is killed. */
    stop(options?: DeadlineOptions): Promise<void>;
    /** Ends it now. */
    kill(): Promise<void>;
    /** What it is doing. */
    status(): Promise<ActorStatus>;
}
/** One capability given to one actor. */
export declare class Grant {
    #private;
    private constructor();
    /** Takes it back; how many open resources that cut. */
    revoke(): Promise<number>;
}
/**
 * One world of components, actors and grants. Close it when it is no longer needed; collected without having been
 * closed, it kills its actors. No method throws: errors are rejections with an {@link AirwasmError}.
 */
export declare class System {
    #private;
    private constructor();
    /** The version of the core. */
    static version(): string;
    /** Opens a system: its threads, its engine, its audit log. */
    static open(options?: OpenOptions): Promise<System>;
    /** Loads a component from a file. */
    load(path: string | URL, options?: AbortOptions): Promise<Component>;
    /** Loads a component from its bytes, which are copied. */
    loadBytes(component: Uint8Array, options?: AbortOptions): Promise<Component>;
    /** What is known of a component before it runs. */
    inspect(component: Component): Promise<ComponentInfo>;
    /** Forgets a component; its actors keep it. */
    unload(component: Component): Promise<void>;
    /** Starts a guest as an actor. */
    spawn(component: Component, options?: SpawnOptions): Promise<Actor>;
    /** Makes a function an actor. It runs on this thread's event loop and does not keep the process alive. */
    spawnHost(handler: Handler, options?: SpawnOptions): Promise<Actor>;
    /** The actor of this id. */
    lookup(id: string): Promise<Actor>;
    /** All actors. */
    list(): Promise<ActorStatus[]>;
    /** As {@link Actor.send}. */
    send(actor: Actor, payload: Payload, options?: SendOptions): Promise<void>;
    /** As {@link Actor.request}. */
    request(actor: Actor, payload: Payload, options?: RequestOptions): Promise<Buffer>;
    /** As {@link Actor.grant}. */
    grant(actor: Actor, capability: Capability, options?: GrantOptions): Promise<Grant>;
    /** As {@link Grant.revoke}. */
    revoke(grant: Grant): Promise<number>;
    /** As {@link Actor.grants}. */
    grants(actor: Actor): Promise<GrantInfo[]>;
    /** As {@link Actor.stop}. */
    stop(actor: Actor, options?: DeadlineOptions): Promise<void>;
    /** As {@link Actor.kill}. */
    kill(actor: Actor): Promise<void>;
    /** As {@link Actor.status}. */
    status(actor: Actor): Promise<ActorStatus>;
    /**
     * Events of these kinds from this call on: a comma list of kinds, families such as `actor.*`, or `*`. A slow reader
     * sees `events.lost`.
     */
    events(kinds?: string): AsyncIterableIterator<Event>;
    /** Counters. */
    stats(): Promise<Stats>;
    /** Stops every actor, kills at the deadline what has not stopped, and reports. Closing again gives the same. */
    close(options?: DeadlineOptions): Promise<CloseReport>;
    /** Whether it was closed. */
    isClosed(): boolean;
    /** {@link System.close}, for `await using`. */
    [Symbol.asyncDispose](): Promise<void>;
}
