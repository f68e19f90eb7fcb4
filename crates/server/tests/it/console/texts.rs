//! Texts that would act, put wherever the API takes one: no page gets an element or an attribute of
//! them, and nothing in it hides or turns text around.

use html5ever::tendril::TendrilSink as _;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use serde_json::json;

use crate::access::concrete;
use crate::evaluator::Evaluator;
use crate::world::World;

/// What the console's own templates are made of.
const ELEMENTS: &str = "a abbr article aside b bdi blockquote body br button caption circle clippath code datalist dd defs del desc details dfn div dl dt em fieldset figcaption figure footer form g h1 h2 h3 h4 head header hr html input ins kbd label legend li line link main mark meta meter nav noscript ol optgroup option output p path pattern polygon polyline pre progress rect samp script section select small span strong sub summary sup svg table tbody td template text textarea tfoot th thead time title tr tspan ul use var";

fn bad_texts() -> Vec<String> {
    vec![
        "<script>alert(1)</script>".to_owned(),
        "\"><img src=x onerror=alert(1)>".to_owned(),
        "'><svg/onload=alert(1)>".to_owned(),
        "</textarea></pre></title><iframe src=//evil.test></iframe>".to_owned(),
        "right \u{202e}tfel\u{2066}".to_owned(),
        "z\u{200d}w\u{200b}j".to_owned(),
        "\u{1b}]0;owned\u{7}\u{1b}[31m".to_owned(),
        "nul\0nul".to_owned(),
        "{{ 7 * 7 }}{% raw %}".to_owned(),
        "javascript:alert(1)".to_owned(),
        "[x](javascript:alert(1)) ![y](https://evil.test/p.png)".to_owned(),
        format!("<b onclick=alert(1)>{}", "x".repeat(10_000)),
    ]
}

/// Puts a text wherever one is taken; how many places took it.
async fn put_everywhere(world: &World, index: usize, text: &str) -> usize {
    let flag = format!("f{index}");
    let definition = |field: &str| {
        let mut definition = json!({
            "key": flag, "kind": "ops", "type": "string", "owner": "a",
            "variants": {"on": "on", "off": "off"}, "closed": "off", "open": "on",
        });
        match field {
            "tags" => definition["tags"] = json!([text]),
            "variants" => definition["variants"]["on"] = json!(text),
            field => definition[field] = json!(text),
        }
        json!({"definition": definition, "why": {"reason": text, "incident": text}})
    };
    let mut taken = 0;
    for field in [
        "description",
        "runbook",
        "owner",
        "tags",
        "variants",
        "closing",
    ] {
        let path = format!("/api/v1/flags/{flag}");
        let known = world.get(&path).send().await;
        let mut body = definition(field);
        let answer = if known.status == 200 {
            // What was taken before stays.
            let mut whole = known.json()["definition"].clone();
            whole[field] = body["definition"][field].clone();
            body["definition"] = whole;
            let put = world.ask("PUT", &path).json(&body);
            put.header("if-match", known.header("etag")).send().await
        } else {
            world.post("/api/v1/flags", &body).send().await
        };
        taken += usize::from(answer.status < 300);
    }
    let why = [json!({"reason": text}), json!({"incident": text})];
    for why in why {
        let body = json!({"flags": [flag], "why": why});
        let kill = world.post("/api/v1/environments/prod/kill", &body);
        taken += usize::from(kill.send().await.status < 300);
    }
    let segment = json!({"definition": {"key": format!("s{index}"), "include": [text]}, "why": {"reason": text}});
    let segment = world.post("/api/v1/segments", &segment).send().await;
    taken += usize::from(segment.status < 300);
    let token = json!({"name": text, "role": "viewer"});
    let token = world.post("/api/v1/tokens", &token).send().await;
    taken += usize::from(token.status < 300);
    let plan = json!({"definition": {"key": "careful", "stages": [{"percentage": 1}], "metrics": [{"key": text}], "notify": [text]}, "why": {"reason": text}});
    let plan = world.ask("PUT", "/api/v1/plans/careful").json(&plan);
    taken + usize::from(plan.send().await.status < 300)
}

/// Every page that is looked at, with the names that are there.
fn pages(index: usize) -> Vec<String> {
    let listed = leverframe_server::console_pages();
    let gets = listed.iter().filter(|(method, path)| {
        *method == "get" && !path.starts_with("/live") && *path != "/audit/export" && *path != "/"
    });
    let flag = format!("f{index}");
    let segment = format!("s{index}");
    gets.map(|(_, path)| {
        let path = path.replace("{flag}", &flag).replace("{segment}", &segment);
        format!("{}?env=prod", concrete(&path, "prod"))
    })
    .collect()
}

/// An element's name, and its attributes, in small letters.
type Element = (String, Vec<(String, String)>);

fn gather(node: &Handle, elements: &mut Vec<Element>) {
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let attributes = attrs.borrow();
        let attributes = attributes.iter().map(|attribute| {
            let name = attribute.name.local.to_lowercase();
            (name, attribute.value.to_string())
        });
        elements.push((name.local.to_lowercase(), attributes.collect()));
    }
    for child in node.children.borrow().iter() {
        gather(child, elements);
    }
}

/// Nothing in a page acts but what the templates have.
fn demand_inert(at: &str, html: &str) {
    let is_active = |c: char| {
        c.is_control() && !matches!(c, '\n' | '\t')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let active = html.find(is_active);
    assert!(active.is_none(), "{at}: {active:?} acts");
    let dom = parse_document(RcDom::default(), ParseOpts::default()).one(html);
    let mut elements = Vec::new();
    gather(&dom.document, &mut elements);
    let known: Vec<_> = ELEMENTS.split(' ').collect();
    let mut scripts = 0;
    for (name, attributes) in elements {
        assert!(known.contains(&&*name), "{at}: <{name}>");
        scripts += usize::from(name == "script");
        for (attribute, value) in attributes {
            assert!(
                !attribute.starts_with("on") && attribute != "style" && attribute != "srcdoc",
                "{at}: <{name} {attribute}={value:?}>"
            );
            let is_address = ["href", "src", "action", "formaction", "xlink:href"];
            if is_address.contains(&&*attribute) {
                let is_own = value.starts_with('/') && !value.starts_with("//");
                let is_fine = is_own || value.starts_with('#') || value.starts_with("https://");
                assert!(is_fine, "{at}: <{name} {attribute}={value:?}>");
                let is_link = matches!(&*name, "a");
                assert!(is_own || is_link || value.starts_with('#'), "{at}: {value}");
            }
        }
    }
    assert_eq!(scripts, 1, "{at}: scripts");
}

#[tokio::test]
async fn a_bad_text_acts_on_no_page() {
    let world = World::new().await;
    let evaluator = world.token("evaluator", &["prod"], &[]).await;
    let mut following = Vec::new();
    for (index, text) in bad_texts().iter().enumerate() {
        let taken = put_everywhere(&world, index, text).await;
        if !text.contains(['\0', '\u{1b}']) && text.len() < 200 {
            assert!(taken >= 4, "{text:?} was taken in {taken} places only");
            if text.bytes().all(|byte| byte.is_ascii_graphic()) {
                following.push(Evaluator::follow(&world, &evaluator, text).await);
            }
        }
        let mut seen = 0;
        for path in pages(index) {
            let page = world.page(&path).await;
            seen += usize::from(page.status == 200);
            demand_inert(&format!("{path} with {text:?}"), &page.text);
        }
        assert!(seen > 8, "{seen} pages were there");
    }
    // What a search was for stands in its field.
    for text in bad_texts() {
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for path in [
            "/flags?q=",
            "/kill?q=",
            "/audit?actor=",
            "/audit?since=",
            "/fleet?q=",
        ] {
            let path = format!("{path}{encoded}");
            let page = world.page(&path).await;
            if page.header("content-type").starts_with("text/html") {
                demand_inert(&path, &page.text);
            }
        }
    }
}

#[test]
#[should_panic(expected = "<img>")]
fn an_element_that_no_template_has_is_noticed() {
    demand_inert("here", "<p>a</p><img src=/x>");
}

#[test]
#[should_panic(expected = "onclick")]
fn an_attribute_that_acts_is_noticed() {
    demand_inert("here", "<p onclick=x>a</p>");
}
