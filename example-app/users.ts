import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

export interface User {
  readonly username: string;
  readonly name: string;
  readonly isAdmin: boolean;
}

export interface Account extends User {
  readonly password: string;
}

interface StoredUser extends User {
  readonly salt: Buffer;
  readonly passwordHash: Buffer;
}

const HASH_BYTES = 32;
const hash = promisify<string, Buffer, number, Buffer>(scrypt);

/** Three accounts to try the shop with. Unless a password is given, each gets a new random one. */
export function demoAccounts(password?: string): Account[] {
  return [
    { username: "alice", name: "Alice", isAdmin: false },
    { username: "bob", name: "Bob", isAdmin: false },
    { username: "admin", name: "Admin", isAdmin: true },
  ].map((user) => ({ ...user, password: password ?? randomBytes(9).toString("base64url") }));
}

/** The users who may sign in. It stores scrypt hashes, not passwords. */
export class Users {
  readonly #stored: ReadonlyMap<string, StoredUser>;
  readonly #nobody: StoredUser;

  private constructor(stored: readonly StoredUser[], nobody: StoredUser) {
    this.#stored = new Map(stored.map((user) => [user.username, user]));
    this.#nobody = nobody;
  }

  static async of(accounts: readonly Account[]): Promise<Users> {
    const nobody = { username: "", name: "", isAdmin: false, password: randomBytes(32).toString("base64url") };
    return new Users(await Promise.all(accounts.map(stored)), await stored(nobody));
  }

  /** The user with this name and password. An unknown name takes as long as a wrong password. */
  async verify(username: string, password: string): Promise<User | undefined> {
    const user = this.#stored.get(username);
    const { salt, passwordHash } = user ?? this.#nobody;
    const matches = timingSafeEqual(await hash(password, salt, HASH_BYTES), passwordHash);
    return matches ? user : undefined;
  }

  find(username: string): User | undefined {
    return this.#stored.get(username);
  }

  all(): User[] {
    return [...this.#stored.values()];
  }
}

async function stored({ username, name, isAdmin, password }: Account): Promise<StoredUser> {
  const salt = randomBytes(16);
  return { username, name, isAdmin, salt, passwordHash: await hash(password, salt, HASH_BYTES) };
}
