"""Open the built site in Chromium, light and dark, and follow every local link of every page.

The script prints each problem, and exits with status 1 if there is one. Problems are: a link or an
anchor that does not exist, an error in the console, a request that fails or leaves the site, a page
wider than its window, and a search whose first three results do not have the right page.
Screenshots are in docs/_build/screenshots. The script needs Chromium and its driver (Debian:
chromium, chromium-driver).
"""

import base64
import json
import shutil
import sys
import tempfile
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlencode, urljoin, urlsplit

BUILD = Path(__file__).parent / "_build"
PAGES = {
    "start": "index.html",
    "which-model": "guide/which_model.html",
    "features": "guide/features.html",
    "anomalies": "guide/anomalies.html",
    "tables": "guide/tables.html",
    "images": "guide/images.html",
    "saving": "guide/saving.html",
    "trouble": "guide/trouble.html",
    "coming-from": "guide/coming_from.html",
    "models": "guide/models.html",
    "benchmarks": "benchmarks.html",
    "benchmark-results": "benchmark_results.html",
    "paper": "paper.html",
    "gallery": "gallery/index.html",
    "gallery-digits": "gallery/plot_digits.html",
    "gallery-faces": "gallery/plot_denoising.html",
    "api": "api/skvae.BetaTCVAETransformer.html",
    "architecture": "architecture.html",
    "contributing": "contributing.html",
    "search": "search.html?q=beta",
}
WIDTHS = {"": 1280, "-narrow": 390}  # the second is that of a phone
TALLEST = 6000  # pixels of a screenshot
PATIENCE = 20  # seconds to wait for the results of a search
SEARCHES = {  # what people type, and the right pages
    "install": ["guide/install"],
    "save": ["guide/saving"],
    "load": ["guide/saving"],
    "threshold": ["guide/anomalies"],
    "which model": ["guide/which_model"],
    "gpu": ["guide/training", "guide/install"],
    "missing values": ["guide/mixed_columns"],
    "images": ["guide/images"],
    "categorical": ["guide/tables"],
    "speed": ["guide/training"],
    "reproduce": ["guide/training", "guide/trouble"],
}
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


class Page(HTMLParser):
    """The anchors of a page, its links, and the files that it loads."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loaded = {"", "top"}, [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[key] for key in ("id", "name") if attributes.get(key)}
        if attributes.get("href") is not None:
            (self.links if tag == "a" else self.loaded).append(attributes["href"])
        if attributes.get("src"):
            self.loaded.append(attributes["src"])


def pages_of(site):
    """Return the pages of a folder, without those in _static, which are templates of the theme."""
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]


def broken_links(site):
    """Return a line for each link of a folder of pages to a missing file or anchor."""
    site = site.resolve()
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in pages_of(site)}
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            address = urlsplit(urljoin(path.as_uri(), link))
            if address.scheme != "file" or address.netloc:
                if link in page.loaded and address.scheme != "data":
                    broken.append(f"{path.relative_to(site)}: loads {link}")
                continue
            target = Path(unquote(address.path))
            anchor = unquote(address.fragment).partition(":~:")[0]
            if not target.is_relative_to(site) or not target.is_file():
                broken.append(f"{path.relative_to(site)}: no file {link}")
            elif target in pages and anchor not in pages[target].anchors:
                broken.append(f"{path.relative_to(site)}: no anchor {link}")
    return broken


class Quiet(SimpleHTTPRequestHandler):
    """Serve a folder, and print nothing."""

    def log_message(self, *arguments):
        pass


def complaints(driver, root):
    """Return the errors of the console and the network since the last call."""
    found = [f"console: {entry['message']}" for entry in driver.get_log("browser")]
    addresses = {}
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        event = message["params"]
        if message["method"] == "Network.requestWillBeSent":
            address = addresses[event["requestId"]] = event["request"]["url"]
            if not address.startswith((root, "data:", "blob:")):
                found.append(f"request to another host: {address}")
        elif message["method"] == "Network.loadingFailed":
            address = addresses.get(event["requestId"], "a request")
            found.append(f"failed: {address}, {event['errorText']}")
        elif message["method"] == "Network.responseReceived" and event["response"]["status"] >= 400:
            found.append(f"{event['response']['status']}: {event['response']['url']}")
    return found


def screenshot(driver, path):
    """Save the whole page as a picture."""
    size = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], TALLEST)}
    shot = driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": {**clip, "scale": 1}}
    )
    path.write_bytes(base64.b64decode(shot["data"]))


def wide_elements(driver):
    """Return the elements that make the page wider than its window."""
    return driver.execute_script("""
        const width = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= width) return [];
        return [...document.querySelectorAll("main *")]
            .filter(e => e.getBoundingClientRect().right > width + 1).slice(0, 3)
            .map(e => `wider than the window: ${e.tagName} ${e.className} ${e.id}`);
    """)


def look(driver, root, folder):
    """Open the pages in both colour schemes and widths; return the problems."""
    wrong = []
    for scheme in ("light", "dark"):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        for suffix, width in WIDTHS.items():
            driver.set_window_size(width, 900)
            for name, page in PAGES.items():
                driver.get(root + page)
                found = complaints(driver, root) + wide_elements(driver)
                wrong += [f"{page}, {scheme}, {width} pixels: {line}" for line in found]
                screenshot(driver, folder / f"{name}-{scheme}{suffix}.png")
    return wrong


def lost_searches(driver, root):
    """Return a line for each search whose first three results have none of the right pages."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    lost = []
    for words, right in SEARCHES.items():
        driver.get(f"{root}search.html?{urlencode({'q': words})}")
        links = WebDriverWait(driver, PATIENCE).until(
            lambda browser: browser.find_elements(By.CSS_SELECTOR, "ul.search li > a")[:3]
        )
        first = [urlsplit(link.get_attribute("href")).path.lstrip("/") for link in links]
        if not set(first) & {f"{page}.html" for page in right}:
            lost.append(f"search for {words!r}: {', '.join(first)} and not {' or '.join(right)}")
    return lost


def browse(site, folder):
    """Serve the site to a new Chromium; return the problems."""
    from selenium import webdriver

    browser, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (browser and chromedriver):
        sys.exit(
            "docs-check needs chromium and chromedriver. Install them (Debian: chromium-driver)."
        )
    folder.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for argument in [*ARGUMENTS, f"--user-data-dir={profile}"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "SEVERE", "performance": "ALL"})
        service = webdriver.ChromeService(chromedriver)
        with webdriver.Chrome(options=options, service=service) as driver:
            driver.get("data:,")
            complaints(driver, "")  # those of the start page of the browser
            root = f"http://127.0.0.1:{server.server_port}/"
            wrong = look(driver, root, folder) + lost_searches(driver, root)
    server.shutdown()
    return wrong


def main():
    """Check docs/_build/html."""
    site = BUILD / "html"
    if not (site / "index.html").exists():
        sys.exit("docs-check reads docs/_build/html. Run make docs first.")
    wrong = broken_links(site) + browse(site, BUILD / "screenshots")
    print("\n".join(wrong) or f"{len(pages_of(site))} pages, every local link exists")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
