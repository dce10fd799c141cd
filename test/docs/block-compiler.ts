import { basename, dirname, join } from "node:path";
import ts from "typescript";
import { ROOT } from "./documents";
import type { CodeBlock } from "./code-blocks";

type Language = "ts" | "js";

/** A block as a file of its own: the code of the reader, below one line of imports of ours. */
interface BlockFile {
  readonly block: CodeBlock;
  readonly path: string;
  /** The name that its first line gives it, without the extension: `// worker.ts`. */
  readonly name: string | undefined;
  readonly text: string;
  /** What its code declares and imports at the top, for the blocks after it. */
  readonly names: readonly string[];
  readonly imports: readonly string[];
}

const GIVEN = join(ROOT, "test/docs/given.d.ts");
const GIVEN_TO_JS = join(ROOT, "test/docs/given-to-js.d.ts");
/** The folder in which the blocks seem to be; nothing is written there. */
const PLACE = join(ROOT, "test/docs/blocks");
const NAME = /^\s*\/\/ (?:[\w./-]*\/)?([\w.-]+)\.[cm]?[jt]sx?\s*\n/;

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  strict: true,
  esModuleInterop: true,
  types: ["node"],
  typeRoots: [join(ROOT, "node_modules/@types")],
  noEmit: true,
  // The types of express-session are installed under another name, so that the tests of ours don't see them.
  paths: { ...coatcheckPaths(), "express-session": [join(ROOT, "node_modules/express-session-types/index.d.ts")] },
};
const OPTIONS_OF: Readonly<Record<Language, ts.CompilerOptions>> = {
  ts: { ...OPTIONS, lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"] },
  // A program in JavaScript may run in a browser, and nothing says which one does.
  js: { ...OPTIONS, noImplicitAny: false, allowJs: true, checkJs: true, lib: ["lib.es2023.d.ts", "lib.dom.d.ts"] },
};

/** Parsed files of lib, of packages and of TypeScript itself, which all documents have in common. */
const parsed: Readonly<Record<Language, Map<string, ts.SourceFile | undefined>>> = { ts: new Map(), js: new Map() };

/**
 * Compiles the blocks of one document that are TypeScript or JavaScript, each as a module of its own; returns what is
 * wrong, as `docs/redis.md:45: …`. A block may use what `given.d.ts` declares, and what the blocks above it import and
 * declare.
 */
export function compileBlocks(blocks: readonly CodeBlock[]): string[] {
  return [...compileLanguage("ts", blocks), ...compileLanguage("js", blocks)];
}

function compileLanguage(language: Language, all: readonly CodeBlock[]): string[] {
  const blocks = all.filter((block) => block.language === language && block.exemption === undefined);
  if (blocks.length === 0) return [];
  const files: BlockFile[] = [];
  for (const block of blocks) files.push(blockFile(block, language, files));
  const given = language === "ts" ? [GIVEN] : [GIVEN, GIVEN_TO_JS];
  const program = programOf([...given, ...files.map(({ path }) => path)], language, files);
  return [
    ...given.flatMap((path) => diagnosticsOf(program, path).map((found) => `${basename(path)}: ${messageOf(found)}`)),
    ...files.flatMap((file) => diagnosticsOf(program, file.path).map((found) => placed(file, found))),
  ];
}

function blockFile(block: CodeBlock, language: Language, earlier: readonly BlockFile[]): BlockFile {
  const name = NAME.exec(block.code)?.[1];
  const isCommonJs = language === "js" && /\brequire\(/.test(block.code) && !/^\s*import\b/m.test(block.code);
  const extension = isCommonJs ? "cjs" : language;
  const path = join(PLACE, block.document, String(block.line), `${name ?? "block"}.${extension}`);
  const { names, imports, taken, exported } = topLevel(block.code, path);
  if (isCommonJs) return { block, path, name, text: block.code, names: [], imports: [] };
  const own = new Set([...names, ...taken]);
  const prelude = new Map<string, string>();
  for (const file of earlier) {
    for (const text of file.imports) prelude.set(localName(text), text);
    for (const known of file.names) prelude.set(known, `import { ${known} } from ${JSON.stringify(file.path)};`);
  }
  const given = [...prelude].filter(([known]) => !own.has(known)).map(([, text]) => text);
  const hidden = names.filter((known) => !exported.has(known));
  const text = `${given.join(" ")}\n${block.code}\nexport { ${hidden.join(", ")} };\n`;
  return { block, path, name, text, names, imports };
}

/**
 * The names that code declares, takes from elsewhere and exports at its top, and its imports of packages, a statement
 * for each name.
 */
function topLevel(code: string, path: string) {
  const source = ts.createSourceFile(path, code, ts.ScriptTarget.ES2023, true);
  const names: string[] = [];
  const exported = new Set<string>();
  const imports: string[] = [];
  const taken: string[] = [];
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) {
      const single = singleImports(statement);
      taken.push(...single.map(localName));
      // What another block exports is known to later ones by where it is declared.
      if (!/^["']\./.test(statement.moduleSpecifier.getText())) imports.push(...single);
    }
    const found = declaredNames(statement);
    names.push(...found);
    if (isExported(statement)) for (const name of found) exported.add(name);
    if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause))
      for (const element of statement.exportClause.elements) exported.add(element.name.text);
  }
  return { names: [...new Set(names)], taken, exported, imports };
}

function isExported(statement: ts.Statement): boolean {
  if (!ts.canHaveModifiers(statement)) return false;
  const kinds = (ts.getModifiers(statement) ?? []).map(({ kind }) => kind);
  return kinds.includes(ts.SyntaxKind.ExportKeyword) && !kinds.includes(ts.SyntaxKind.DefaultKeyword);
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
  if (
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement)
  )
    return statement.name === undefined ? [] : [statement.name.text];
  return [];
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}

/** An import of three names is three imports of one, so that a later block can be given some of them. */
function singleImports({ importClause, moduleSpecifier }: ts.ImportDeclaration): string[] {
  const from = `from ${moduleSpecifier.getText()};`;
  if (importClause === undefined) return [];
  const type = importClause.phaseModifier === ts.SyntaxKind.TypeKeyword ? "type " : "";
  const { name, namedBindings } = importClause;
  const single = name === undefined ? [] : [`import ${type}${name.text} ${from}`];
  if (namedBindings === undefined) return single;
  if (ts.isNamespaceImport(namedBindings)) return [...single, `import ${type}${namedBindings.getText()} ${from}`];
  return [...single, ...namedBindings.elements.map((element) => `import ${type}{ ${element.getText()} } ${from}`)];
}

function localName(importText: string): string {
  return /(\w+) (?:\} )?from/.exec(importText)?.[1] ?? "";
}

function programOf(rootNames: string[], language: Language, files: readonly BlockFile[]): ts.Program {
  const options = OPTIONS_OF[language];
  const own = new Map(files.map((file) => [file.path, file]));
  const host = ts.createCompilerHost(options);
  const cache = parsed[language];
  const isManifest = (path: string) => path === join(PLACE, "package.json");
  const onDisk = { ...host };
  host.fileExists = (path) => own.has(path) || isManifest(path) || onDisk.fileExists(path);
  host.readFile = (path) => own.get(path)?.text ?? (isManifest(path) ? '{ "type": "module" }' : onDisk.readFile(path));
  host.directoryExists = (path) => path.startsWith(PLACE) || ts.sys.directoryExists(path);
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const text = own.get(path)?.text;
    if (text !== undefined) return ts.createSourceFile(path, text, languageVersion, true);
    if (!cache.has(path)) cache.set(path, onDisk.getSourceFile(path, languageVersion, ...rest));
    return cache.get(path);
  };
  const resolutions = ts.createModuleResolutionCache(ROOT, (name) => name, options);
  host.resolveModuleNameLiterals = (literals, importer, redirected, _options, source) =>
    literals.map((literal) => {
      const file = own.get(literal.text) ?? besides(own.get(importer), literal.text, files);
      if (file !== undefined) return { resolvedModule: resolvedTo(file.path) };
      const mode = ts.getModeForUsageLocation(source, literal, options);
      return ts.resolveModuleName(literal.text, importer, options, host, resolutions, redirected, mode);
    });
  return ts.createProgram({ rootNames, options, host });
}

/** The block that another imports as `./worker.js`: the nearest above it of this name, or else the first below. */
function besides(importer: BlockFile | undefined, specifier: string, files: readonly BlockFile[]) {
  if (importer === undefined || !specifier.startsWith(".")) return undefined;
  const name = basename(specifier).replace(/\.[cm]?[jt]s$/, "");
  const named = files.filter((file) => file.name === name && file !== importer);
  return named.findLast((file) => file.block.line < importer.block.line) ?? named[0];
}

function resolvedTo(path: string): ts.ResolvedModuleFull {
  const extension = path.slice(path.lastIndexOf("."));
  return { resolvedFileName: path, extension, isExternalLibraryImport: false };
}

function diagnosticsOf(program: ts.Program, path: string): readonly ts.Diagnostic[] {
  const source = program.getSourceFile(path);
  if (source === undefined) throw new Error(`TypeScript was not given ${path}.`);
  const syntactic = program.getSyntacticDiagnostics(source);
  return syntactic.length > 0 ? syntactic : program.getSemanticDiagnostics(source);
}

function placed({ block, text }: BlockFile, found: ts.Diagnostic): string {
  const before = text.slice(0, found.start ?? 0).split("\n").length;
  const line = text === block.code ? block.line + before - 1 : block.line + before - 2;
  return `${block.document}:${line}: ${messageOf(found)}`;
}

function messageOf({ messageText }: ts.Diagnostic): string {
  return ts.flattenDiagnosticMessageText(messageText, "\n");
}

/** The entry points of coatcheck, as the checks of this repository see them. */
function coatcheckPaths(): Record<string, string[]> {
  const path = join(ROOT, "tsconfig.json");
  const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name)) as {
    config: { compilerOptions: { paths: Record<string, string[]> } };
  };
  const entries = Object.entries(config.compilerOptions.paths);
  return Object.fromEntries(entries.map(([name, targets]) => [name, targets.map((file) => join(dirname(path), file))]));
}
