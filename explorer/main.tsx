import { render } from "preact";
import { App } from "./app.js";
import "./style/page.css";
import "./style/cards.css";
import "./style/parts.css";

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
