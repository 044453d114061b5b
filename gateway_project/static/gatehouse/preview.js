// The client's part of MCP Apps (SEP-1865, revision 2026-01-26) for one page in a frame: it is shown, told and listened
// to. Nothing it asks for is done; it is listed.
const frame = document.getElementById("preview");
const controls = document.getElementById("preview-controls").elements;
const ASKED_MAX = 50;
let ready = false;

// A page in a sandbox has no origin to name
const send = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
const context = () => ({ theme: controls.theme.value, locale: controls.locale.value, displayMode: "inline", platform: "web" });

function tellResult() {
  let found;
  try {
    found = JSON.parse(controls.result.value);
  } catch {
    found = undefined;
  }
  document.getElementById("preview-fault").hidden = found !== undefined;
  if (!ready || found === undefined) return;
  const content = [{ type: "text", text: JSON.stringify(found) }];
  send({ method: "ui/notifications/tool-input", params: { arguments: {} } });
  send({ method: "ui/notifications/tool-result", params: { content, structuredContent: found } });
}

function list(message) {
  const item = document.createElement("li");
  const code = document.createElement("code");
  code.textContent = `${message.method} ${JSON.stringify(message.params ?? {})}`.slice(0, 500);
  item.append(code);
  const asked = document.getElementById("asked");
  asked.prepend(item);
  asked.children[ASKED_MAX]?.remove();
}

const ANSWERS = {
  "ui/initialize": () => ({
    protocolVersion: "2026-01-26",
    hostInfo: { name: "gatehouse-preview", version: "1" },
    hostCapabilities: {},
    hostContext: context(),
  }),
  "ui/message": () => ({}),
  "ui/open-link": () => ({}),
  "ui/update-model-context": () => ({}),
  "ui/request-display-mode": () => ({ mode: "inline" }),
  ping: () => ({}),
};

window.addEventListener("message", ({ source, data }) => {
  if (source !== frame.contentWindow || data?.jsonrpc !== "2.0" || typeof data.method !== "string") return;
  if (data.method === "ui/notifications/size-changed") {
    frame.style.height = `${Math.min(Math.max(Number(data.params?.height) || 0, 40), 2000)}px`;
    return;
  }
  if (data.method === "ui/notifications/initialized") {
    ready = true;
    tellResult();
  }
  if (data.id === undefined) return;
  if (data.method !== "ui/initialize") list(data);
  const answer = ANSWERS[data.method];
  send({ id: data.id, ...(answer ? { result: answer() } : { error: { code: -32601, message: "Not in a preview" } }) });
});

controls.result.addEventListener("input", tellResult);
for (const name of ["theme", "locale"]) {
  controls[name].addEventListener("change", () => {
    if (ready) send({ method: "ui/notifications/host-context-changed", params: context() });
  });
}
controls.width.addEventListener("change", () => {
  frame.style.maxWidth = `${controls.width.value}px`;
});
document.getElementById("preview-controls").addEventListener("submit", (event) => event.preventDefault());
