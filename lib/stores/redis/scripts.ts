import { createHash } from "node:crypto";
import { GUEST_USER } from "../../record/session-record";
import { BUCKET_MS } from "../index-keys";
import { SCRIPT_FIELDS as F } from "./record-fields";

/** A script, and the SHA-1 by which Redis knows it once it was sent. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

/**
 * How much later than `purgeAt` Redis drops a record by itself, in milliseconds: the clearing job, which also puts the
 * indexes in order, should come first.
 */
const GRACE_MS = 60 * 60_000;
/** How long an id of which nothing is kept is remembered as ended, in milliseconds: longer than a client may resend. */
const GONE_MS = 10 * 60_000;

/*
 * A client may send a command again whose answer was lost (ioredis does, unless `autoResendUnfulfilledCommands` is
 * false). So every write has a nonce, and the second time it returns the same; what was created with a nonce and has
 * ended is not created with it again.
 *
 * In a Cluster, a key that is not in the slot yet, or no longer, fails a script in its middle. So each first touches
 * the keys of owners, which only it knows, adds before it removes, and reads nothing that it has removed.
 *
 * Where memory is full, Redis refuses a script's first write if that needs memory, and none after it. So what ends or
 * clears sessions, which frees memory, begins with a write that changes nothing.
 *
 * Numbers stay text, as Lua's would lose digits.
 */
const SHARED = `
local function tallyField(group, owner, expires)
  local at = tonumber(expires or '')
  if not group or not at then return false end
  local bucket = at == math.huge and 'never' or string.format('%.0f', math.floor(at / ${BUCKET_MS}))
  return group .. (owner == '${GUEST_USER}' and 'guest' or 'user') .. '|' .. bucket
end
local function count(tallies, field, by)
  if field and redis.call('HINCRBY', tallies, field, by) <= 0 then redis.call('HDEL', tallies, field) end
end
local function expire(key, purge)
  local at = tonumber(purge or '')
  if not at or at == math.huge then
    redis.call('PERSIST', key)
    return
  end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('PEXPIREAT', key, string.format('%.0f', math.max(at, now) + ${GRACE_MS}))
end
local function each(from, step)
  local last = from + tonumber(ARGV[from])
  for at = from + 1, last, 1000 do step(unpack(ARGV, at, math.min(at + 999, last))) end
  return last + 1
end
local function evenWhereFull(ids) redis.call('PERSIST', ids) end
-- Of the keys of a session, from the one at \`k\` on.
local function shardOf(k, id) return string.sub(KEYS[k], 1, #KEYS[k] - #id - 2) end
local function isLive(k) return redis.call('EXISTS', KEYS[k]) == 1 end
local function wasEnded(k, nonce)
  return redis.call('HGET', KEYS[k + 4], '${F.version}') == nonce or redis.call('HGET', KEYS[k + 7], '${F.version}') == nonce
end
local function wasCreated(k, nonce)
  return redis.call('HGET', KEYS[k + 4], '${F.birth}') == nonce or redis.call('HGET', KEYS[k + 7], '${F.birth}') == nonce
end
local function insert(k, id, nonce, owner, group, expires, purge, from)
  local owned = shardOf(k, id) .. 'so:' .. owner
  redis.call('EXISTS', owned)
  each(from, function(...) redis.call('HSET', KEYS[k], ...) end)
  redis.call('HSET', KEYS[k], '${F.birth}', nonce)
  expire(KEYS[k], purge)
  redis.call('ZADD', KEYS[k + 1], 0, id)
  redis.call('ZADD', KEYS[k + 2], purge, id .. '\\0' .. owner)
  redis.call('ZADD', owned, 0, id)
  count(KEYS[k + 3], tallyField(group, owner, expires), 1)
end
local function finish(id, nonce, purge, from)
  local h = redis.call('HMGET', KEYS[1], '${[F.owner, F.expiresAt, F.group, F.bytesCounter, F.birth].join("','")}')
  local owner, bytes, birth = h[1] or '', h[4], h[5] or ''
  local shard = shardOf(1, id)
  redis.call('EXISTS', shard .. 'so:' .. owner, shard .. 'eo:' .. owner)
  evenWhereFull(KEYS[2])
  if purge == '' then
    redis.call('HSET', KEYS[8], '${F.birth}', birth, '${F.version}', nonce)
    redis.call('PEXPIRE', KEYS[8], ${GONE_MS})
  else
    local kept = {'${[F.v, F.owner, F.project, F.scope, F.createdAt, F.lastSeenAt, F.remoteAddress, F.userAgent].join("','")}'}
    local values = redis.call('HMGET', KEYS[1], unpack(kept))
    -- The app may have used its id before.
    local before = redis.call('HGET', KEYS[5], '${F.owner}')
    if before then
      redis.call('EXISTS', shard .. 'eo:' .. before)
      redis.call('HDEL', KEYS[5], '${[F.endedBy, F.message, F.bytesSent].join("','")}')
    end
    for i, field in ipairs(kept) do
      if values[i] then redis.call('HSET', KEYS[5], field, values[i]) end
    end
    if bytes then redis.call('HSET', KEYS[5], '${F.bytesSent}', bytes) end
    each(from, function(...) redis.call('HSET', KEYS[5], ...) end)
    redis.call('HSET', KEYS[5], '${F.birth}', birth, '${F.version}', nonce)
    expire(KEYS[5], purge)
    redis.call('ZADD', KEYS[6], 0, id)
    redis.call('ZADD', KEYS[7], purge, id .. '\\0' .. owner)
    redis.call('ZADD', shard .. 'eo:' .. owner, 0, id)
    if before and before ~= owner then
      redis.call('ZREM', KEYS[7], id .. '\\0' .. before)
      redis.call('ZREM', shard .. 'eo:' .. before, id)
    end
  end
  count(KEYS[4], tallyField(h[3], owner, h[2]), -1)
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZREM', KEYS[3], id .. '\\0' .. owner)
  redis.call('ZREM', shard .. 'so:' .. owner, id)
  redis.call('DEL', KEYS[1])
end
`;

/** What a write returns. */
export const DONE = 1;
export const NOT_LIVE = 0;
export const CONFLICT = 2;

/** Arguments: id, nonce, owner, group, expiresAt, purgeAt; how many fields and values, those. */
export const CREATE = script(`
local id, nonce = ARGV[1], ARGV[2]
if isLive(1) then return redis.call('HGET', KEYS[1], '${F.birth}') == nonce and ${DONE} or ${CONFLICT} end
if wasCreated(1, nonce) then return ${CONFLICT} end
insert(1, id, nonce, ARGV[3], ARGV[4], ARGV[5], ARGV[6], 7)
return ${DONE}
`);

/**
 * Keys: `ofLive`. Arguments: id, nonce, the version that it must have or nothing; the new owner after "=", expiresAt and
 * purgeAt, each nothing where it stays; what to set, to remove, to add to.
 */
export const UPDATE = script(`
local id, nonce = ARGV[1], ARGV[2]
if not isLive(1) then return ${NOT_LIVE} end
local h = redis.call('HMGET', KEYS[1], '${[F.owner, F.expiresAt, F.purgeAt, F.group, F.version, F.birth].join("','")}')
local version = h[5] or h[6] or ''
if version == nonce then return ${DONE} end
if ARGV[3] ~= '' and version ~= ARGV[3] then return ${CONFLICT} end
local owner, shard = h[1] or '', shardOf(1, id)
local newOwner = ARGV[4] == '' and owner or string.sub(ARGV[4], 2)
local expires = ARGV[5] == '' and h[2] or ARGV[5]
local purge = ARGV[6] == '' and h[3] or ARGV[6]
local isMoved = newOwner ~= owner
if isMoved then redis.call('EXISTS', shard .. 'so:' .. owner, shard .. 'so:' .. newOwner) end
local from = each(7, function(...) redis.call('HSET', KEYS[1], ...) end)
from = each(from, function(...) redis.call('HDEL', KEYS[1], ...) end)
for at = from + 1, from + tonumber(ARGV[from]), 2 do redis.call('HINCRBYFLOAT', KEYS[1], ARGV[at], ARGV[at + 1]) end
redis.call('HSET', KEYS[1], '${F.version}', nonce)
local before, after = tallyField(h[4], owner, h[2]), tallyField(h[4], newOwner, expires)
if before ~= after then
  count(KEYS[3], after, 1)
  count(KEYS[3], before, -1)
end
if isMoved or purge ~= h[3] then
  redis.call('ZADD', KEYS[2], purge or 0, id .. '\\0' .. newOwner)
  expire(KEYS[1], purge)
end
if isMoved then
  redis.call('ZREM', KEYS[2], id .. '\\0' .. owner)
  redis.call('ZADD', shard .. 'so:' .. newOwner, 0, id)
  redis.call('ZREM', shard .. 'so:' .. owner, id)
end
return ${DONE}
`);

/** Arguments: id, nonce, purgeAt of what is kept or nothing; how many fields and values of the ending, those. */
export const END = script(`
local id, nonce = ARGV[1], ARGV[2]
if not isLive(1) then return wasEnded(1, nonce) and ${DONE} or ${NOT_LIVE} end
finish(id, nonce, ARGV[3], 4)
return ${DONE}
`);

/**
 * The keys of both sessions. Arguments: those of `END`, then those of `CREATE` for the successor, with "full" for the
 * nonce if this is to be done even where memory is full.
 */
export const REPLACE = script(`
local id, nonce = ARGV[1], ARGV[2]
if not isLive(1) then return wasEnded(1, nonce) and ${DONE} or ${NOT_LIVE} end
local next = 5 + tonumber(ARGV[4])
local newId = ARGV[next]
if isLive(9) or wasCreated(9, nonce) then return ${CONFLICT} end
if ARGV[next + 1] == 'full' then evenWhereFull(KEYS[2]) end
insert(9, newId, nonce, ARGV[next + 2], ARGV[next + 3], ARGV[next + 4], ARGV[next + 5], next + 6)
finish(id, nonce, ARGV[3], 4)
return ${DONE}
`);

const HEADER = `
local function headerOf(key)
  local all, header = redis.call('HGETALL', key), {}
  for at = 1, #all, 2 do
    if not string.find('${F.content.join("")}', string.sub(all[at], 1, 1), 1, true) then
      header[#header + 1] = all[at]
      header[#header + 1] = all[at + 1]
    end
  end
  return header
end
`;

/** The headers of these records, each as `HGETALL` would return it, without what may be large. */
export const HEADERS = script(`${HEADER}
local headers = {}
for i, key in ipairs(KEYS) do headers[i] = headerOf(key) end
return headers
`);

/**
 * The ids of a page of an index, and their headers, in one step: a session that another takes the place of meanwhile is
 * there as the one or the other. Keys: all ids of the shard. Arguments: the index, the first id, how many at most.
 */
export const HEADER_PAGE = script(`${HEADER}
local ids, headers = redis.call('ZRANGEBYLEX', ARGV[1], ARGV[2], '+', 'LIMIT', 0, ARGV[3]), {}
for i, id in ipairs(ids) do headers[i] = headerOf(KEYS[1] .. ':' .. id) end
return {ids, headers}
`);

/**
 * Deletes records that are due, and what the indexes have of them. Keys: the due ones, the ids, the tallies of a shard.
 * Arguments: the kind, the instant before which they are due, how many at most. Returns how many were deleted.
 */
export const CLEAR = script(`
local kind, shard = ARGV[1], string.sub(KEYS[1], 1, -3)
local members = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
evenWhereFull(KEYS[2])
for _, member in ipairs(members) do
  local at = string.find(member, '\\0', 1, true)
  local id, owner = string.sub(member, 1, at - 1), string.sub(member, at + 1)
  local key, owned = shard .. kind .. ':' .. id, shard .. kind .. 'o:' .. owner
  redis.call('EXISTS', owned)
  local h = redis.call('HMGET', key, '${F.expiresAt}', '${F.group}')
  if kind == 's' then count(KEYS[3], tallyField(h[2], owner, h[1]), -1) end
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZREM', owned, id)
  redis.call('DEL', key)
  redis.call('ZREM', KEYS[1], member)
end
return #members
`);

function script(body: string): Script {
  const text = SHARED + body;
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}
