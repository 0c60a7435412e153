/** Bytes, or text that is sent as UTF-8. They are copied before the call returns. */
export type Payload = string | Uint8Array;
/** A capability as text, `fs.read /data/**`, or as an object with the same parts. */
export type Capability = string | {
    capability: string;
    scope?: string;
    ttl?: string;
    [parameter: string]: string | undefined;
};
/** No bound at all, for every field of {@link Limits} and {@link Budget}, and for every wait. */
export declare const UNLIMITED: number;
/** What one message may use. Absent is the default. */
export interface Budget {
    /** Time that the guest computes. */
    cpuMs?: number;
    /** Time from the start of handling to its end, asleep or not. */
    wallMs?: number;
    /** Instructions. */
    fuel?: bigint | number;
    /** Bytes of the reply and of messages sent. */
    outputBytes?: number;
    /** Calls into the host. */
    hostCalls?: number;
}
/** What one instance may hold at once. Absent is the default. */
export interface Limits {
    /** All linear memories together. */
    memoryBytes?: number;
    /** All tables together. */
    tableElements?: number;
    /** Host resources. */
    handles?: number;
    /** Messages that wait. */
    mailboxMessages?: number;
    /** Payload bytes that wait. */
    mailboxBytes?: number;
    /** One payload, in or out. */
    payloadBytes?: number;
}
/** How a system is opened. */
export interface OpenOptions {
    /** The policy file. */
    policy?: string | URL;
    /** The file that audit records are appended to. */
    audit?: string | URL;
    /** The folder for compiled code. */
    cacheDir?: string | URL;
    /** `hardened` (the default: no component-model concurrency) or `full`. */
    profile?: 'hardened' | 'full';
}
/** How an actor is spawned. */
export interface SpawnOptions {
    /** `namespace/name/instance`, or a bare name; absent: the file's stem and the next free number. */
    name?: string;
    grants?: Capability[];
    limits?: Limits;
    budget?: Budget;
    /** What the guest is configured with, as JSON. */
    config?: unknown;
    /** When it is started again after it ended; `temporary` if absent. */
    restart?: 'permanent' | 'transient' | 'temporary';
    /** How long a stop waits before it kills. */
    shutdownMs?: number;
}
/** How a call is given up. */
export interface AbortOptions {
    signal?: AbortSignal;
}
/** How a message is sent. */
export interface SendOptions {
    /** What the bytes are, as a media type. */
    contentType?: string;
}
/** How a request is made. */
export interface RequestOptions extends SendOptions, AbortOptions {
    /** How long the caller waits. It ends the wait, never the actor. */
    timeoutMs?: number;
}
/** How long to wait before killing. */
export interface DeadlineOptions {
    deadlineMs?: number;
}
/** How long a grant holds. */
export interface GrantOptions {
    ttlMs?: number;
}
