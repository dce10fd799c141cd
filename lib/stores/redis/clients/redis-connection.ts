import type { Argument } from "../record-fields";

/** What is used of a client, whichever it is. */
export interface RedisConnection {
  /** Whether a command would be sent at once, and not wait in the client for a connection. */
  readonly isReady: boolean;
  /** Sends a command. `key` is one of its keys: it says to which node of a Cluster. Texts are returned as Buffers. */
  send(key: string, command: readonly Argument[]): Promise<unknown>;
  /**
   * Sends a command that has no key to the node of this key, on the connection that the last command with that key
   * took.
   */
  sendBeside(key: string, command: readonly Argument[]): Promise<unknown>;
  /**
   * Stands for the connection that commands take now: it has another value once that one was lost. Always undefined for
   * a Cluster, whose clients send nothing without keys to another node by themselves.
   */
  readonly line: unknown;
  /** A call got no answer in time. */
  late(): void;
  /** Closes the client where it is ours. */
  close(): Promise<void>;
}
