import type { EventEmitter } from "node:events";
import type { Administration } from "./admin/checked/administration";
import { Kill } from "./admin/kill";
import type { SessionReader } from "./admin/listing/session-reader";
import type { ClientlessSessions } from "./clientless/clientless-sessions";
import { getUserContext } from "./clientless/user-context";
import { forgettable, toldLater } from "./forgettable";
import { deadIdsOf } from "./http/request-session";
import type { ExpressSessionStore } from "./http/express-session-store/express-session-store";
import { httpSettings } from "./http/http-settings";
import type { HttpSettings } from "./http/http-settings";
import { Traffic } from "./http/traffic";
import type { ResolvedOptions } from "./options/session-options";
import type { SessionPages } from "./pages/session-pages";
import { AttributeEncryption } from "./record/crypto/attribute-encryption";
import { touchAt } from "./record/expiry";
import type { EndReason, SessionRecord } from "./record/session-record";
import { adminRoom, clientlessRoom, expressSessionStoreRoom, pagesRoom } from "./rooms-on-demand";
import { currentHolder } from "./session/current-session";
import type { SessionPolicy } from "./session/life/session-policy";
import { Announcer } from "./session/session-events";
import type { SessionEvents } from "./session/session-events";
import { SessionWatch } from "./session/session-watch";
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
  #clientlessMade: ClientlessSessions | undefined;
  #watchMade: SessionWatch | undefined;
  #pagesMade: SessionPages | undefined;
  #readerMade: SessionReader | undefined;
  readonly #traffic = new Traffic();
  readonly #context = new OwnContext();
  readonly #forgotten = toldLater((error) => this.announcer.error(error));

  /** Opens the store. Events go to the listeners of `emitter`. */
  constructor(options: ResolvedOptions, emitter: EventEmitter<SessionEvents>) {
    const { store, storeTimeoutMs: timeoutMs, now, project } = options;
    this.options = options;
    this.announcer = new Announcer(emitter);
    this.store = new GuardedStore(store ?? storeByEnvironment({ now, timeoutMs }), { timeoutMs, now, project });
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
    return (this.#clientlessMade ??= this.#newClientless());
  }

  get reader(): SessionReader {
    return (this.#readerMade ??= this.#newReader());
  }

  get pages(): SessionPages {
    return (this.#pagesMade ??= this.#newPages());
  }

  get #watch(): SessionWatch {
    return (this.#watchMade ??= this.#newWatch());
  }

  /** Stops what runs by itself. */
  stop(): void {
    this.#clientlessMade?.stop();
    this.#pagesMade?.close();
    this.#watchMade?.stop();
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
        this.#clientlessMade?.ended(target.id);
        this.#ended(target, reason);
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

  #newWatch(): SessionWatch {
    const { now, killCheckMs: intervalMs } = this.options;
    const runOutside = <T>(start: () => T) => this.#context.run(start);
    return new SessionWatch({ load: (id) => this.store.load(id), now, intervalMs, runOutside });
  }

  #newPages(): SessionPages {
    const { SessionPages } = pagesRoom();
    const { store } = this;
    return new SessionPages({
      watch: this.#watch,
      now: this.options.now,
      load: (id) => store.load(id),
      write: (record, delta) => store.write(record, delta),
      find: (query) => store.find(query),
      endOfRequest: async (req) => this.reader.endedNotice(deadIdsOf(req, this.httpMade), this.options.project),
      given: (work) => this.given(work),
      onError: (error) => this.announcer.error(error),
    });
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
      onEnded: (record, reason) => this.#ended(record, reason),
      watch: () => this.#watch,
    };
  }

  #ended(record: Pick<SessionRecord, "id" | "owner">, reason: EndReason): void {
    this.#watchMade?.ended(record.id);
    this.announcer.ended(record, reason);
  }
}
