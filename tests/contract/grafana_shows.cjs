// What Grafana's own code makes of a panel: its transformations, and the word for each value.
// In: {panel, frames, values} as JSON on stdin. Out: {rows: [{column: value}], words: [text]}.
// The package is made for a browser; of that it needs these names, and nothing that they do.
globalThis.window = globalThis;
globalThis.addEventListener = () => {};
globalThis.localStorage = { getItem: () => null };
globalThis.document = { createElement: () => ({ style: {} }), documentElement: { style: {} } };
if (!globalThis.navigator) globalThis.navigator = { language: "en", languages: ["en"] };

const data = require("@grafana/data");
const { panel, frames, values } = JSON.parse(require("fs").readFileSync(0, "utf8"));

const known = new Map(Object.values(data.standardTransformers).map((one) => [one.id, one]));
data.standardTransformersRegistry.setInit(() =>
  [...known.values()].map((one) => ({ id: one.id, name: one.name, transformation: one })),
);
const theme = data.createTheme();
const config = panel.fieldConfig.defaults;
const words = values.map((value) => {
  const type = typeof value === "string" ? data.FieldType.string : data.FieldType.number;
  const field = { name: "value", type, config, values: [value] };
  return data.getDisplayProcessor({ field, theme })(value).text;
});
data.transformDataFrame(panel.transformations || [], frames.map(data.toDataFrame)).subscribe((out) => {
  const rows = out.flatMap((frame) =>
    Array.from({ length: frame.length }, (_, row) =>
      Object.fromEntries(
        frame.fields.map((field) => [
          data.getFieldDisplayName(field, frame, out),
          field.values[row] ?? null,
        ]),
      ),
    ),
  );
  process.stdout.write(JSON.stringify({ rows, words }));
});
