import type { EventEmitter } from "node:events";
import type { Administration } from "./admin/checked/session-admin";
import { Kill } from "./admin/kill";
import type { SessionReader } from "./admin/listing/session-reader";
import type { ClientlessSessions } from "./clientless/clientless-sessions";
import { getUserContext } from "./clientless/user-context";
import { forgettable, toldLater } from "./forgettable";
import type { ExpressSessionStore } from "./http/express-session-store/express-session-store";
import { httpSettings } from "./http/http-settings";
import type { HttpSettings } from "./http/http-settings";
import { Traffic } from "./http/traffic";
import type { ResolvedOptions } from "./options/session-options";
import { AttributeEncryption } from "./record/crypto/attribute-encryption";
import { touchAt } from "./record/expiry";
import { adminRoom, clientlessRoom, expressSessionStoreRoom } from "./rooms-on-demand";
import { currentHolder } from "./session/current-session";
import type { SessionPolicy } from "./session/life/session-policy";
import { Announcer } from "./session/session-events";
import type { SessionEvents } from "./session/session-events";
import { storeByEnvironment } from "./options/store-by-environment";
import { GuardedStore } from "./stores/guard/guarded-store";
import { OwnContext } from "./stores/own-context";

/**
 * How the rooms of one `Sessions` are put together. What not every process needs is made when it is first asked for.
 */
export class Wiring {
  readonly options: ResolvedOptions;
  readonly store: GuardedStore;
  readonly announcer: Announcer;
  readonly kill: Kill;
  /** Undefined where nothing has asked for it yet. */
  httpMade: HttpSettings | undefined;
  clientlessMade: ClientlessSessions | undefined;
  #readerMade: SessionReader | undefined;
  readonly #traffic = new Traffic();
  readonly #context = new OwnContext();
  readonly #forgotten = toldLater((error) => this.announcer.error(error));

  /** Opens the store. Events go to the listeners of `emitter`. */
  constructor(options: ResolvedOptions, emitter: EventEmitter<SessionEvents>) {
    const { store, storeTimeoutMs: timeoutMs, now } = options;
    this.options = options;
    this.announcer = new Announcer(emitter);
    this.store = new GuardedStore(store ?? storeByEnvironment({ now, timeoutMs }), { timeoutMs, now });
    this.kill = this.#newKill();
  }

  /**
   * The promise that the app is given: one that it may forget, and whose failure then fails the request that it was
   * made in.
   */
  given<T>(work: () => Promise<T>): Promise<T> {
    const holder = currentHolder.getStore();
    return forgettable(work(), (failure) => {
      if (holder?.forgotten === undefined) this.#forgotten(failure);
      else holder.forgotten(failure);
    });
  }

  get http(): HttpSettings {
    return (this.httpMade ??= this.#newHttp());
  }

  get clientless(): ClientlessSessions {
    return (this.clientlessMade ??= this.#newClientless());
  }

  get reader(): SessionReader {
    return (this.#readerMade ??= this.#newReader());
  }

  get administration(): Administration {
    const { store, kill, reader } = this;
    const { now, keepEndedMs, isSuperUser, isPasswordExpired, audit } = this.options;
    return {
      ...{ now, isSuperUser, isPasswordExpired, audit, reader, kill },
      load: (id) => store.load(id),
      tally: () => store.tally(now()),
      renew: (id) => store.mutate(id, (record) => touchAt(record, now(), keepEndedMs)),
      actingFor: getUserContext,
      given: (work) => this.given(work),
      onError: (error) => this.announcer.error(error),
    };
  }

  #newKill(): Kill {
    return new Kill({
      ...this.options,
      store: this.store,
      onEnded: (target, reason) => {
        this.clientlessMade?.ended(target.id);
        this.announcer.ended(target, reason);
      },
    });
  }

  #newHttp(): HttpSettings {
    let ownStore: ExpressSessionStore | undefined;
    const settings = httpSettings(this.#policy(), {
      ...this.options,
      traffic: this.#traffic,
      announcer: this.announcer,
      afterLogin: this.kill.afterLogin,
      find: (query) => this.store.find(query),
      sessionStore: () => (ownStore ??= expressSessionStoreRoom().ownSessionStore(settings)),
    });
    return settings;
  }

  #newClientless(): ClientlessSessions {
    const { ClientlessSessions } = clientlessRoom();
    const { leaseMs, killCheckMs } = this.options;
    const onError = (error: unknown) => this.announcer.error(error);
    return new ClientlessSessions({ ...this.#policy(), leaseMs, killCheckMs, context: this.#context, onError });
  }

  #newReader(): SessionReader {
    const { SessionReader } = adminRoom();
    const { now, isAuthorized } = this.options;
    const unwrittenBytes = (id: string) => this.#traffic.unwritten(id);
    return new SessionReader({ store: this.store, now, isAuthorized, unwrittenBytes });
  }

  #policy(): SessionPolicy {
    const { secrets, ...options } = this.options;
    return {
      ...options,
      encryption: new AttributeEncryption(secrets),
      writer: this.store,
      onCreated: (record) => this.announcer.created(record),
      onEnded: (record, reason) => this.announcer.ended(record, reason),
    };
  }
}
