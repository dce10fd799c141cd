import { anchorsOf } from "./anchors";
import { DOCUMENTS, readDocument } from "./documents";
import { deadLinks, missingPaths } from "./links";

it.each(DOCUMENTS)("%s links to and names only what exists", (document) => {
  const text = readDocument(document);
  expect([...deadLinks(document, text), ...missingPaths(document, text)]).toEqual([]);
});

describe("a dead link is found", () => {
  it.each([
    ["to a file", "[a](missing.md)"],
    ["to a file, with a title", '[a](missing.md "A title")'],
    ["to a picture", "![a](pictures/missing.png)"],
    ["to a picture in HTML", '<img alt="" src="pictures/missing.png">'],
    ["by reference", "[a][b]\n\n[b]: missing.md"],
    ["to a heading of its own", "# Here\n\n[a](#there)"],
    ["to a heading of another document", "[a](redis.md#no-such-heading)"],
    ["to a heading that is in a code block only", "```sh\n# there\n```\n[a](#there)"],
    [
      "to a file of this repository where it is published",
      "[a](https://github.com/coatcheck/coatcheck/blob/main/missing.md)",
    ],
    ["to a heading there", "[a](https://github.com/coatcheck/coatcheck/blob/main/README.md#no-such-heading)"],
    ["to the second heading of a name, of which there is one", "# Here\n[a](#here-1)"],
  ])("%s", (_where, text) => {
    expect(deadLinks("docs/some.md", text)).toHaveLength(1);
  });

  it("but no other link", () => {
    const text = [
      "# A heading, `code()` & more",
      "## Same\n## Same",
      "[a](#a-heading-code--more) [b](#same-1) [c](redis.md#cluster) [d](../README.md) [e](../lib/stores/store.ts#L10)",
      "[f](https://example.com/missing.md) [g](mailto:a@example.com) `[h](missing.md)`",
      "```md\n[i](missing.md)\n```",
    ];
    expect(deadLinks("docs/some.md", text.join("\n\n"))).toEqual([]);
  });
});

it("anchors are made as GitHub makes them", () => {
  const text = [
    "# What it promises",
    "## On Cloud Run, or App Engine?",
    "### `session.update(key, fn)` is *atomic*",
    "## A – B · C",
    "## [A link](redis.md) in it",
    '<a id="by-hand"></a>',
  ];
  expect([...anchorsOf("a.md", text.join("\n"))]).toEqual([
    "by-hand",
    "what-it-promises",
    "on-cloud-run-or-app-engine",
    "sessionupdatekey-fn-is-atomic",
    "a--b--c",
    "a-link-in-it",
  ]);
});
