// Checks files of TypeScript strictly; prints what is wrong with them, or nothing.
import ts from "typescript";

const files = process.argv.slice(2);
const program = ts.createProgram(files, { strict: true, noEmit: true, noUnusedLocals: true, skipLibCheck: true });
for (const found of ts.getPreEmitDiagnostics(program)) {
  const { line } = found.file?.getLineAndCharacterOfPosition(found.start ?? 0) ?? { line: 0 };
  console.log(`${found.file?.fileName}:${line + 1}: ${ts.flattenDiagnosticMessageText(found.messageText, "\n")}`);
}
